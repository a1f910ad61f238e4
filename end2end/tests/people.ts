import { expect, test as base, type BrowserContext, type BrowserContextOptions, type Locator, type Page } from '@playwright/test';
import { Guest } from './guests';
import { Server } from './server';

/** What `newPerson` may be told: anything about the browser, and whose server to visit. */
type Circumstances = BrowserContextOptions & { server?: Server };

type TestFixtures = {
  /** The browsers of the test's people. */
  contexts: BrowserContext[];
  /** A server that no other test uses: to kill it, or to find it empty. */
  ownServer: Server;
  /** What went wrong in any page of the test; whatever is left in it at the end fails the test. */
  faults: Faults;
  /** Somebody with a browser of their own, under a name that no other test uses. */
  newPerson: (name: string, circumstances?: Circumstances) => Promise<Person>;
  /** Somebody with a WebSocket client and nothing else, in a room. */
  newGuest: (name: string, roomId: string) => Promise<Guest>;
};

export const test = base.extend<TestFixtures, { server: Server }>({
  server: [
    async ({}, use) => {
      const server = await Server.start();
      await use(server);
      await server.end();
    },
    { scope: 'worker' },
  ],

  contexts: async ({}, use) => {
    const contexts: BrowserContext[] = [];
    await use(contexts);
    await closeAll(contexts);
  },

  ownServer: async ({ contexts, faults }, use) => {
    const server = await Server.start();
    // The browser logs every try to reach a server that is not there.
    server.whenKilled = () => faults.allow(/WebSocket connection to .* failed|net::ERR_CONNECTION_REFUSED|net::ERR_CONNECTION_RESET|error occurred when fetching the script/);
    await use(server);
    // First the pages: they would rightly complain of a server that goes away.
    await closeAll(contexts);
    await server.end();
  },

  faults: [
    async ({}, use) => {
      const faults = new Faults();
      await use(faults);
      expect(await faults.found(), 'console errors, page errors, CSP reports and inline styles').toEqual([]);
    },
    { auto: true },
  ],

  newPerson: async ({ browser, contexts, server, faults }, use) => {
    await use(async (name, { server: visited = server, ...options } = {}) => {
      const context = await browser.newContext({ baseURL: visited.url, ...options });
      contexts.push(context);
      await faults.watch(context);
      const hasJavaScript = options.javaScriptEnabled !== false;
      if (!hasJavaScript) faults.allow(/preloaded using link preload but not used/);
      return new Person(unique(name), await context.newPage(), visited, hasJavaScript);
    });
    await faults.found();
    await closeAll(contexts);
  },

  newGuest: async ({ server }, use) => {
    const guests: Guest[] = [];
    await use(async (name, roomId) => {
      const guest = await Guest.enter(server, roomId, unique(name));
      guests.push(guest);
      return guest;
    });
    for (const guest of guests) await guest.leave();
  },
});

async function closeAll(contexts: BrowserContext[]): Promise<void> {
  for (const context of contexts.splice(0)) await context.close();
}

export { expect };

let named = 0;

/** Tests share their worker's server, where a name is held until its owner signs out. */
export const unique = (name: string) => `${name} ${++named}`;

/** Notices what a person would not: console output, page errors, CSP reports, inline styles. */
export class Faults {
  readonly #seen: string[] = [];
  readonly #allowed: RegExp[] = [];
  readonly #documents: Promise<void>[] = [];

  /** Expects this: the browser itself logs every failed request. */
  allow(expected: RegExp): void {
    this.#allowed.push(expected);
  }

  async watch(browser: BrowserContext): Promise<void> {
    browser.on('weberror', (error) => this.#seen.push(`page error: ${error.error().message}`));
    browser.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.#seen.push(`console ${message.type()}: ${message.text()} (${message.location().url})`);
    });
    browser.on('response', (response) => {
      const isPage = response.request().resourceType() === 'document' && response.headers()['content-type']?.startsWith('text/html');
      if (isPage) this.#documents.push(this.#read(response.url(), response.text()));
    });
    await browser.addInitScript(() =>
      document.addEventListener('securitypolicyviolation', (report) => console.error(`CSP: ${report.violatedDirective} refuses ${report.blockedURI} ${report.sample}`)),
    );
  }

  async #read(url: string, html: Promise<string>): Promise<void> {
    // A page that is left at once takes its text along.
    const tags = (await html.catch(() => '')).match(/<[a-z][^>]*\sstyle\s*=[^>]*>/gi) ?? [];
    this.#seen.push(...tags.map((tag) => `inline style on ${url}: ${tag}`));
  }

  async found(): Promise<string[]> {
    await Promise.all(this.#documents);
    return this.#seen.filter((fault) => !this.#allowed.some((expected) => expected.test(fault)));
  }
}

/** A person and their browser. */
export class Person {
  constructor(
    readonly name: string,
    readonly page: Page,
    readonly server: Server,
    private readonly hasJavaScript: boolean,
  ) {}

  get list(): Locator {
    return this.page.locator('.room-list');
  }

  get timeline(): Locator {
    return this.page.locator('.timeline');
  }

  /** Every message on screen, in order. */
  get messages(): Locator {
    return this.timeline.locator('.message');
  }

  /** Every text on screen, in order. */
  get texts(): Locator {
    return this.timeline.locator('.message-body');
  }

  /** Who came and went. */
  get notices(): Locator {
    return this.timeline.locator('.system-line');
  }

  get composer(): Locator {
    return this.page.locator('#composer-text');
  }

  get members(): Locator {
    return this.page.locator('.members .member');
  }

  get typing(): Locator {
    return this.page.locator('.typing');
  }

  get connection(): Locator {
    return this.page.locator('.connection');
  }

  get roomId(): string {
    return new URL(this.page.url()).pathname.split('/').pop()!;
  }

  message(text: string): Locator {
    // A text with marks is in elements of its own.
    const is = `:text-is(${JSON.stringify(text)})`;
    return this.timeline.locator(`.message:has(.message-body${is}, .message-body ${is})`);
  }

  roomInList(name: string): Locator {
    return this.list.locator(`.room-item:has(.room-item-name > :text-is(${JSON.stringify(name)}))`);
  }

  /** A second tab of the same browser. */
  async newTab(): Promise<Person> {
    return new Person(this.name, await this.page.context().newPage(), this.server, this.hasJavaScript);
  }

  async openHome(): Promise<void> {
    await this.page.goto('/');
    await expect(this.page.locator('#create-name')).toBeVisible();
  }

  /** Makes a room on the home page, which leads into it; says where it is. */
  async createRoom(name: string): Promise<string> {
    await this.openHome();
    await this.page.locator('#create-name').fill(name);
    await this.page.locator('.create').getByRole('button').click();
    await expect(this.page).toHaveURL(/\/rooms\/[0-9a-f-]{36}$/);
    await expect(this.page.getByRole('heading', { level: 1 })).toHaveText(name);
    await this.isLive();
    return this.page.url();
  }

  async openRoom(url: string): Promise<void> {
    await this.page.goto(url);
    await this.isLive();
  }

  /** Takes a name; the composer takes the form's place. */
  async join(name = this.name): Promise<void> {
    await this.fillJoin(name);
    await expect(this.composer).toBeVisible();
    await this.isLive();
    if (this.hasJavaScript) await expect(this.page.locator('.members .member-me')).toContainText(name);
  }

  async signOut(): Promise<void> {
    await this.page.locator('.account').getByRole('button', { name: '로그아웃' }).click();
    await expect(this.page.locator('.account-me')).toHaveCount(0);
  }

  /** Sends the join form, whatever comes of it. */
  async fillJoin(name: string): Promise<void> {
    await this.page.locator('#join-name').fill(name);
    await this.page.locator('.join').getByRole('button').click();
  }

  async say(text: string): Promise<void> {
    await this.composer.fill(text);
    if (this.hasJavaScript) await this.composer.press('Enter');
    else await this.page.locator('.composer-send').click();
    await expect(this.composer).toHaveValue('');
  }

  /** Opens a message's menu by its button, and does one thing there. */
  async act(text: string, deed: string): Promise<void> {
    const menu = this.page.locator('#message-menu');
    await this.message(text).hover();
    await this.message(text).getByRole('button', { name: '더 보기' }).click();
    await menu.getByRole('menuitem', { name: deed }).click();
    await expect(menu).toBeHidden();
  }

  /** From now on the server refuses what is said here, as long as that holds: it gets to see more than a message may be. */
  async refuses(holds: () => boolean): Promise<void> {
    await this.page.routeWebSocket('**/ws/chat', (page) => {
      const server = page.connectToServer();
      page.onMessage((text) => {
        const frame = JSON.parse(String(text));
        server.send(frame.type === 'TALK' && holds() ? JSON.stringify({ ...frame, message: '말'.repeat(20_000) }) : text);
      });
    });
    await this.page.reload();
    await this.isLive();
  }

  /** Holds the next page of a room back. What comes of this lets it through, or has it fail. */
  async holdRoomPage(): Promise<(arrives?: boolean) => void> {
    let release: (arrives: boolean) => void;
    const released = new Promise<boolean>((resolve) => (release = resolve));
    await this.page.route('**/api/room_page*', async (route) => ((await released) ? route.continue() : route.abort()), { times: 1 });
    return (arrives = true) => release(arrives);
  }

  /** Loads the page anew, and keeps it from waking up until what comes of this is called. */
  async reloadAsleep(): Promise<() => Promise<void>> {
    let wake = () => {};
    const woken = new Promise<void>((resolve) => (wake = resolve));
    await this.page.route('**/*.wasm', async (route) => {
      await woken;
      // The page that asked may be gone.
      await route.continue().catch(() => {});
    });
    await this.page.reload({ waitUntil: 'commit' });
    return async () => {
      wake();
      await this.isLive();
    };
  }

  /** One message says exactly that, and it is no longer on its way. */
  async sees(text: string): Promise<void> {
    await expect(this.message(text)).toHaveCount(1);
    await expect(this.message(text)).toBeVisible();
    await expect(this.message(text)).not.toHaveClass(/message-(sending|failed)/);
  }

  async doesNotSee(text: string): Promise<void> {
    await expect(this.timeline).toBeVisible();
    await expect(this.message(text)).toHaveCount(0);
  }

  /** The whole conversation, from top to bottom. */
  async reads(texts: string[]): Promise<void> {
    await expect(this.texts).toHaveText(texts);
  }

  /** The page has come to life and the server has spoken; without JavaScript there is nothing to wait for. */
  async isLive(): Promise<void> {
    if (this.hasJavaScript) await expect(this.connection).toHaveAttribute('data-state', 'live');
  }
}
