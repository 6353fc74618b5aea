"""The page in Gradio: a part a file, and `serve`, which keeps all of it on this machine."""
