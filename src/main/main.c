/* main: placeholder until the command line lands. */
#include <stdio.h>

int main(void)
{
	puts("wolke " WOLKE_VERSION);
	return 0;
}
