"""Vector shapes made from a layer's pixels: flat fills with curved borders."""
