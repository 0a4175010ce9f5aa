"""What a student is taught in text: asked, answered by a teacher, checked, and only then learnt.

Pure but for the files of JSON lines and the teacher itself. No torch.
"""
