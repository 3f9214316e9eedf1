/* main.c - the entry; everything else can be linked into tests. */
#include "cli.h"

int main(int argc, char **argv)
{
    return cli_run(argc, argv);
}
