/** Errors of the `ailo` command. */
export const cliSentences = {
  USAGE: (d: { reason: string }) => d.reason,
  SIMULATION_FAILED: (d: { reason: string }) => `The simulation could not go on: ${d.reason}.`,
};
