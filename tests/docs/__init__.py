"""The documentation: the generator of docs/reference (`python -m tests.docs`), and the tests that keep every page true."""
