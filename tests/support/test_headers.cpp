// Nothing to run: the target that makes the tests' precompiled header needs a source.
int main() {}
