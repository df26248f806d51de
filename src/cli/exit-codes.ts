export const exitFailed = 1;
export const exitWrongUsage = 2;
/** Of `analyze`: there is a report, and no verdict. */
export const exitNotHealthy = 3;
/** What a shell says of a command that Ctrl-C ended: 128 and the signal's number. */
export const exitInterrupted = 130;

export const exitCodesText = `
Exit codes, of every command: 0 done, ${exitFailed} refused or failed, ${exitWrongUsage} wrong usage, ${exitNotHealthy} (analyze) the experiment is not healthy,
${exitInterrupted} ended by a signal before it was done.`;
