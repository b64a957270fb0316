"""Art, scenes and prompts that the trainers and the evaluation use."""
