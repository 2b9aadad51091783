/*
 * doorkeep: the command line.
 */
#include "ctl/ctl.h"

int
main(int argc, char **argv, char **envp)
{
	return ctl_main(argc, argv, envp);
}
