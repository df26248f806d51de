/** What the kill switch, one document, is kept under. */
export const theSwitch = "all";
