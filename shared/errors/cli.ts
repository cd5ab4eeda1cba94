/** Errors of the `ailo` command. */
export const cliSentences = {
  USAGE: (d: { reason: string }) => d.reason,
};
