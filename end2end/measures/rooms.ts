import { burst, Guest } from '../tests/guests';
import type { Server } from '../tests/server';

/** A room with so many messages of different lengths. */
export async function filledRoom(server: Server, name: string, count: number): Promise<string> {
  const { roomId } = await server.createRoom(name);
  const writer = await Guest.enter(server, roomId, `${name}에 쓰는 이`);
  // In parts, so that nothing is cut off for being too fast.
  for (let part = 0; part < count; part += 100) {
    const texts = burst(writer, roomId, Math.min(100, count - part), (n) => `${part + n}번째 말. ${'길고 짧은 말이 섞여 있습니다. '.repeat(n % 7)}`);
    await writer.hears({ type: 'TALK', message: texts.at(-1) });
    writer.heard.length = 0;
  }
  await writer.leave();
  return roomId;
}
