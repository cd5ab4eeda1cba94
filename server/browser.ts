/** Finds a Chromium that loads unpacked extensions, installs one where there is none, and starts it. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import { AiloError } from '../shared/errors/index.ts';

/** Headers that make a page cross-origin isolated, so that it gets threads. */
export const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** Branded Chrome is not among them: from version 137 on it ignores --load-extension. */
const KNOWN_PLACES = [
  '/usr/bin/chromium',
  '/usr/lib/chromium/chromium',
  '/usr/bin/chromium-browser',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** Chromium's own connections to update and sync servers have no place in a test or a demo. */
const QUIET = [
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Playwright would end the process at once; whoever starts a browser here closes it and puts away the rest as well. */
const OWN_SIGNALS = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };

/** The software adapter where there is no GPU: slow, but the same results. */
export const WEBGPU_ARGS = ['--enable-unsafe-webgpu'];

/** Path of a usable Chromium, or undefined. `AILO_CHROMIUM` overrides the search. */
export function findChromium(): string | undefined {
  const wished = process.env.AILO_CHROMIUM;
  if (wished) return existsSync(wished) ? wished : undefined;
  return [...KNOWN_PLACES, chromium.executablePath()].find((path) => path !== '' && existsSync(path));
}

/**
 * Path of a usable Chromium, which is installed where there is none: Debian's package (as root), else Playwright's
 * own download. `say` gets a line for each thing that is done. Throws ENGINE_UNAVAILABLE.
 */
export async function ensureChromium(say: (line: string) => void): Promise<string> {
  const found = findChromium();
  if (found) return found;
  if (process.env.AILO_CHROMIUM) throw unavailable(`AILO_CHROMIUM names no file: ${process.env.AILO_CHROMIUM}`);
  if (process.getuid?.() === 0 && (await isDebian())) {
    say('No Chromium found: installing the Debian package “chromium” (apt-get install chromium) …');
    await command('apt-get', ['update', '-qq']);
    await command('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium']);
  } else {
    say('No Chromium found: downloading the one Playwright provides (playwright install chromium) …');
    const playwright = join(createRequire(import.meta.url).resolve('playwright-core/package.json'), '..', 'cli.js');
    await command(process.execPath, [playwright, 'install', 'chromium', '--no-shell']);
  }
  const installed = findChromium();
  if (!installed) throw unavailable('it was installed, but cannot be found');
  say(`Chromium is installed: ${installed}`);
  return installed;
}

/** A headless Chromium for plain pages. */
export async function launchChromium(
  options: { args?: string[]; say?: (line: string) => void } = {},
): Promise<Browser> {
  const executablePath = await ensureChromium(options.say ?? (() => {}));
  const args = [...commonArgs(), ...(options.args ?? [])];
  return chromium.launch({ executablePath, headless: true, args, ...OWN_SIGNALS });
}

/** A headless Chromium whose profile stays in a folder, with what its pages store. */
export async function launchProfile(profileDir: string): Promise<BrowserContext> {
  const executablePath = await ensureChromium(() => {});
  return chromium.launchPersistentContext(profileDir, {
    ...{ executablePath, headless: true, args: commonArgs(), ...OWN_SIGNALS },
  });
}

export interface ExtensionLaunch {
  /** The built extension. */
  extensionDir: string;
  /** The profile; a new folder is a fresh profile. */
  profileDir: string;
  headless: boolean;
  args?: string[];
  colorScheme?: 'light' | 'dark';
  say?: (line: string) => void;
}

/** A Chromium profile with the extension loaded. */
export async function launchExtension(launch: ExtensionLaunch): Promise<BrowserContext> {
  const executablePath = await ensureChromium(launch.say ?? (() => {}));
  return chromium.launchPersistentContext(launch.profileDir, {
    executablePath,
    ...OWN_SIGNALS,
    headless: launch.headless,
    colorScheme: launch.colorScheme ?? null,
    ...(launch.headless ? {} : { viewport: null }),
    args: [
      ...commonArgs(),
      `--disable-extensions-except=${launch.extensionDir}`,
      `--load-extension=${launch.extensionDir}`,
      ...(launch.args ?? []),
    ],
  });
}

/** Whether windows can be shown. */
export function hasDisplay(): boolean {
  if (process.platform === 'darwin' || process.platform === 'win32') return true;
  return Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

function commonArgs(): string[] {
  // Chromium refuses to run as root with its sandbox, as in containers and CI; everyone else keeps it.
  return process.getuid?.() === 0 ? [...QUIET, '--no-sandbox'] : QUIET;
}

async function isDebian(): Promise<boolean> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^ID=debian$/m.test(release) && existsSync('/usr/bin/apt-get');
}

/** Runs a command with its output on our stderr, so that stdout stays the caller's. */
function command(file: string, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: ['ignore', 2, 2],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    child.once('error', (error) => reject(unavailable(`${file}: ${error.message}`)));
    child.once('exit', (code) => (code === 0 ? resolve() : reject(unavailable(`“${file} ${args.join(' ')}” failed`))));
  });
}

function unavailable(reason: string): AiloError {
  return AiloError.of('ENGINE_UNAVAILABLE', { engine: 'Chromium', reason });
}
