/** The frame of the `ailo` command: options, help, one JSON object on stdout, one sentence on stderr. */
import { parseArgs } from 'node:util';
import { type Logger, pino } from 'pino';
import { AiloError } from '../shared/errors/index.ts';

export interface Option {
  type: 'string' | 'boolean';
  /** Shown in the help after the option's name: `--model DIR`. */
  value?: string;
  description: string;
}

export type Values = Record<string, string | boolean | undefined>;

export interface Command {
  /** `--help`, `--json` and `--log-level` exist for all and are not listed here. */
  options: Record<string, Option>;
  /** What stands without a `--`, given to `run` under its key; required. */
  argument?: { key: string; value: string; description: string };
  run(values: Values, cli: Cli): Promise<void>;
}

export interface Cli {
  json: boolean;
  /** To stderr, always. */
  log: Logger;
  /** A line for a person on stdout; silent with `--json`. */
  print(line: string): void;
  /** The one object that `--json` puts on stdout; silent without. */
  result(value: object): void;
  /** Aborted by Ctrl-C and SIGTERM. */
  signal: AbortSignal;
}

const COMMON: Record<string, Option> = {
  json: { type: 'boolean', description: 'print one JSON object on stdout' },
  'log-level': {
    type: 'string',
    value: 'LEVEL',
    description: 'debug, info, warn (default) or error; logs go to stderr',
  },
  help: { type: 'boolean', description: 'show this help' },
};

/** Parses `args` for `command` and runs it. Throws USAGE for what cannot be understood. */
export async function runCommand(
  { name, summary, command }: { name: string; summary: string; command: Command },
  args: string[],
  signal: AbortSignal,
): Promise<void> {
  const options = { ...command.options, ...COMMON };
  const values = parse(name, options, args, command.argument);
  if (values.help) {
    process.stdout.write(help(name, summary, options, command.argument));
    return;
  }
  if (command.argument && values[command.argument.key] === undefined)
    throw usage(`${command.argument.value} is missing`);
  const json = values.json === true;
  const write = (text: string) => process.stdout.write(`${text}\n`);
  await command.run(values, {
    json,
    log: pino({ level: logLevel(values['log-level']), base: null }, pino.destination(2)),
    print: (line) => void (json || write(line)),
    result: (value) => void (json && write(JSON.stringify(value))),
    signal,
  });
}

/** A whole number within bounds, or the default. Throws USAGE. */
export function integer(values: Values, name: string, bounds: { min: number; max: number; default: number }): number {
  const value = number(values, name, bounds);
  if (!Number.isInteger(value)) throw usage(`--${name} must be a whole number`);
  return value;
}

/** A number within bounds, or the default. Throws USAGE. */
export function number(values: Values, name: string, bounds: { min: number; max: number; default: number }): number {
  const text = values[name];
  if (text === undefined) return bounds.default;
  const value = typeof text === 'string' && text.trim() !== '' ? Number(text) : Number.NaN;
  if (!(value >= bounds.min && value <= bounds.max)) {
    throw usage(`--${name} must be a number from ${bounds.min} to ${bounds.max}`);
  }
  return value;
}

/** One of a closed set, or the default. Throws USAGE. */
export function choice<T extends string>(values: Values, name: string, among: readonly T[], fallback: T): T {
  const value = values[name];
  if (value === undefined) return fallback;
  const found = among.find((candidate) => candidate === value);
  if (found === undefined) throw usage(`--${name} must be one of ${among.join(', ')}`);
  return found;
}

/** A string, or the default; without a default it is required. Throws USAGE. */
export function string(values: Values, name: string, fallback?: string): string {
  const value = values[name] ?? fallback;
  if (typeof value !== 'string') throw usage(`--${name} is required`);
  return value;
}

/** An http or https address, which is required. Throws USAGE. */
export function url(values: Values, name: string): string {
  const text = string(values, name);
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  if (parsed?.protocol === 'http:' || parsed?.protocol === 'https:') return parsed.href;
  throw usage(`--${name} must begin with http:// or https://`);
}

export function usage(reason: string): AiloError {
  return AiloError.of('USAGE', { reason: `${reason} (see --help).` });
}

function logLevel(value: string | boolean | undefined): string {
  return choice({ 'log-level': value }, 'log-level', ['debug', 'info', 'warn', 'error'], 'warn');
}

function parse(name: string, options: Record<string, Option>, args: string[], argument: Command['argument']): Values {
  try {
    const config = Object.fromEntries(Object.entries(options).map(([key, option]) => [key, { type: option.type }]));
    const { values, positionals } = parseArgs({ args, options: config, allowPositionals: argument !== undefined });
    if (positionals.length > 1) throw new Error(`Unexpected argument '${positionals[1]}'`);
    return { ...(values as Values), ...(argument && positionals.length > 0 && { [argument.key]: positionals[0] }) };
  } catch (error) {
    throw AiloError.of('USAGE', { reason: `ailo ${name}: ${(error as Error).message} (see ailo ${name} --help).` });
  }
}

function help(name: string, summary: string, options: Record<string, Option>, argument: Command['argument']): string {
  const flags = Object.entries(options).map(([key, option]) => [
    `--${key}${option.value ? ` ${option.value}` : ''}`,
    option.description,
  ]);
  if (argument) flags.unshift([argument.value, argument.description]);
  const width = Math.max(...flags.map(([flag]) => flag!.length));
  const lines = flags.map(([flag, description]) => `  ${flag!.padEnd(width)}  ${description}`);
  return `ailo ${name} — ${summary}\n\n${lines.join('\n')}\n`;
}
