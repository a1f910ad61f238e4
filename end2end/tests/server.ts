import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** A stored message, as the HTTP interface tells it; the parts of it that tests look at. */
type Message = { sender: string; message: string; seq: number; deleted?: boolean; reactions?: { emoji: string; by: string[] }[] };

/** A server of our own: a free port, an empty data directory, no limits on how fast people act. */
export class Server {
  url = '';
  /** Called before it is killed. */
  whenKilled?: () => void;
  readonly #data = mkdtempSync(join(tmpdir(), 'madang-end2end-'));
  #process?: ChildProcess;
  #panicked = false;

  static async start(): Promise<Server> {
    const server = new Server();
    await server.start();
    return server;
  }

  /** Starts on a free port; after `kill` on the same port again, with the same data. Without any limits, or with these. */
  async start(limits = ['--messages-per-second', '0', '--rooms-per-minute', '0', '--sign-ins-per-minute', '0']): Promise<void> {
    const server = spawn(
      binary(),
      ['--listen', this.url ? new URL(this.url).host : '127.0.0.1:0', '--data', this.#data, '--site', site(), '--log', 'warn', ...limits],
      { stdio: ['ignore', 'pipe', 'pipe'], env: ownEnvironment() },
    );
    this.#process = server;
    createInterface({ input: server.stderr }).on('line', (line) => {
      process.stderr.write(`${line}\n`);
      this.#panicked ||= line.includes('panicked at');
    });
    this.url = await address(server);
  }

  /** What a power cut does: SIGKILL, nothing is said to anybody. */
  async kill(): Promise<void> {
    this.whenKilled?.();
    const process = this.#process;
    if (process && process.exitCode === null && process.signalCode === null) {
      process.kill('SIGKILL');
      await once(process, 'exit');
    }
  }

  /** Ends it and removes what it stored. Whatever was tried with it, it has not panicked. */
  async end(): Promise<void> {
    await this.kill();
    rmSync(this.#data, { recursive: true, force: true });
    if (this.#panicked) throw new Error('the server panicked: see above');
  }

  /** The tutorial's call. */
  async createRoom(name: string): Promise<{ roomId: string; name: string }> {
    const response = await fetch(`${this.url}/chat?name=${encodeURIComponent(name)}`, { method: 'POST' });
    if (!response.ok) throw new Error(`POST /chat: ${response.status} ${await response.text()}`);
    return response.json();
  }

  /** Everything said in a room, up to 200 messages. */
  async messages(roomId: string): Promise<Message[]> {
    const response = await fetch(`${this.url}/chat/${roomId}/messages?limit=200`);
    return (await response.json()).messages;
  }

  async lobby(): Promise<string> {
    const rooms: { roomId: string; lobby?: boolean }[] = await (await fetch(`${this.url}/chat`)).json();
    return rooms.find((room) => room.lobby)!.roomId;
  }
}

/** Paths in the environment are relative to the repository, as cargo-leptos gives them. */
const inRepository = (path: string) => resolve(REPOSITORY, path);

const site = () => inRepository(process.env.LEPTOS_SITE_ROOT ?? 'target/site');

function binary(): string {
  if (process.env.MADANG_BIN) return inRepository(process.env.MADANG_BIN);
  const targets = [...(process.env.CARGO_TARGET_DIR ? [process.env.CARGO_TARGET_DIR] : []), 'target'];
  const candidates = ['debug', 'release'].flatMap((profile) => targets.map((target) => inRepository(join(target, profile, 'madang'))));
  // The newest is the one that the site belongs to: pages of another build would not come to life.
  const age = (path: string) => statSync(path).mtimeMs;
  const found = candidates.filter((path) => existsSync(path)).sort((a, b) => age(b) - age(a))[0];
  if (!found) throw new Error(`no server has been built: ${candidates.join(', ')}`);
  return found;
}

/** Settings of whoever runs the tests must not reach the servers of the tests. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const foreign = /^(MADANG_|LEPTOS_|DATABASE_URL$|NATS_URL$|RUST_LOG$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}

/** The address that the server prints as soon as it serves. */
async function address(server: ChildProcess): Promise<string> {
  const line = await new Promise<string>((printed, failed) => {
    createInterface({ input: server.stdout! }).once('line', printed);
    server.once('error', failed);
    server.once('exit', (code, signal) => failed(new Error(`the server ended (${code ?? signal}) before it served`)));
  });
  const url = /^Madang is open at (http:\S+)$/.exec(line)?.[1];
  if (!url) throw new Error(`the server said: ${line}`);
  return url;
}
