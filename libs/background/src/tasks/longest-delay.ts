/** A thousand years: whatever is put off for longer falls due at a time that every clock, calendar and store can still tell. */
export const longestDelayMs = 365_250 * 86_400_000;
