/* fault.h - named places where a test build kills the process, to prove that nothing is lost there. */
#ifndef FAULT_H
#define FAULT_H

#ifdef FAULT_POINTS
/* Kills the process (SIGKILL) when the environment says FAULT_POINT=name, at its FAULT_COUNT-th pass
 * (default 1) and, when FAULT_ONCE_FILE is set, only if that file does not exist (it is made then). */
void fault_point(const char *name);
#else
#define fault_point(name) ((void)0)
#endif

#endif
