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
  const values = parse(name, options, args);
  if (values.help) {
    process.stdout.write(help(name, summary, options));
    return;
  }
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

function parse(name: string, options: Record<string, Option>, args: string[]): Values {
  try {
    const config = Object.fromEntries(Object.entries(options).map(([key, option]) => [key, { type: option.type }]));
    return parseArgs({ args, options: config, allowPositionals: false }).values as Values;
  } catch (error) {
    throw AiloError.of('USAGE', { reason: `ailo ${name}: ${(error as Error).message} (see ailo ${name} --help).` });
  }
}

function help(name: string, summary: string, options: Record<string, Option>): string {
  const flags = Object.entries(options).map(([key, option]) => [
    `--${key}${option.value ? ` ${option.value}` : ''}`,
    option.description,
  ]);
  const width = Math.max(...flags.map(([flag]) => flag!.length));
  const lines = flags.map(([flag, description]) => `  ${flag!.padEnd(width)}  ${description}`);
  return `ailo ${name} — ${summary}\n\n${lines.join('\n')}\n`;
}
