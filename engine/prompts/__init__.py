"""Reading of prompts: what each word asks for, and the prompt as the text encoder is trained on it.

Pure text: neither torch nor Qt. `parser.check_prompt` says what a prompt asks of a vocabulary;
`encoder.encoder_prompt` writes the same in the words that training uses.
"""
