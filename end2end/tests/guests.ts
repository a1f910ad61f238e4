import { expect } from '@playwright/test';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Server } from './server';

type Frame = Record<string, unknown>;

/** Somebody with nothing but a WebSocket client, speaking the open dialect. */
export class Guest {
  /** Everything heard so far: parsed frames, and bare text as it came. */
  readonly heard: (Frame | string)[] = [];

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data) => {
      const text = data.toString();
      this.heard.push(text.startsWith('{') ? JSON.parse(text) : text);
    });
  }

  static async connect(server: Server): Promise<Guest> {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/chat`);
    const guest = new Guest(socket);
    await once(socket, 'open');
    return guest;
  }

  /** Connects and enters one room. */
  static async enter(server: Server, roomId: string, sender: string): Promise<Guest> {
    const guest = await Guest.connect(server);
    guest.send({ type: 'ENTER', roomId, sender });
    await guest.hears({ type: 'ENTER', roomId, sender });
    return guest;
  }

  send(frame: Frame): void {
    this.socket.send(JSON.stringify(frame));
  }

  /** Sends bare text, as in the tutorial's first exercise. */
  sendText(text: string): void {
    this.socket.send(text);
  }

  talk(roomId: string, message: string): void {
    this.send({ type: 'TALK', roomId, message });
  }

  /** Waits for a frame with these fields, or for exactly this text. */
  async hears(expected: Frame | string): Promise<void> {
    const wanted = typeof expected === 'string' ? expected : expect.objectContaining(expected);
    await expect.poll(() => this.heard).toContainEqual(wanted);
  }

  /** How often exactly that was said here. */
  times(message: string): number {
    return this.heard.filter((heard) => heard === message || (typeof heard !== 'string' && heard.type === 'TALK' && heard.message === message)).length;
  }

  async leave(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    this.socket.close(1000);
    await once(this.socket, 'close');
  }
}

/** Says 1, 2, 3, … in one go, without waiting for any of them to arrive. */
export function burst(guest: Guest, roomId: string, count: number, text = (n: number) => `${n}번째 말`): string[] {
  const texts = Array.from({ length: count }, (_, index) => text(index + 1));
  texts.forEach((text) => guest.talk(roomId, text));
  return texts;
}
