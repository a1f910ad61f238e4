import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { get } from 'node:http';
import { expect, test } from '../tests/people';
import { WebSocket } from 'ws';

/** Bytes of a page as it comes, packed with brotli. */
async function packed(url: string): Promise<number> {
  const [response] = await once(get(url, { headers: { 'accept-encoding': 'br' } }), 'response');
  expect(response.headers['content-encoding']).toBe('br');
  let bytes = 0;
  for await (const part of response) bytes += part.length;
  return bytes;
}

test('the HTML of a room with 50 messages, each with Markdown, a quote and three reactions', async ({ newPerson, server }) => {
  const mina = await newPerson('민아');
  await mina.createRoom('가득한 방');
  await mina.join();
  const { roomId } = mina;
  const cookies = await mina.page.context().cookies();
  const Cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/chat`, 'madang.v1', { headers: { Cookie, Origin: server.url } });
  await once(socket, 'open');
  let changes = 0;
  socket.on('message', (data) => (changes += data.toString().startsWith('{"type":"TALK"') ? 1 : 0));
  const send = (frame: object) => socket.send(JSON.stringify({ roomId, ...frame }));
  send({ type: 'ENTER' });
  let replyTo: string | undefined;
  for (let n = 0; n < 50; n++) {
    const id = randomUUID();
    send({ type: 'TALK', id, message: `**${n}번째** 말에는 \`코드\`와 https://example.com/${randomUUID()} 가 있고\n- 하나\n- 둘 ${Math.random()}`, replyTo });
    for (const emoji of ['👍', '🎉', '🍡']) send({ type: 'REACT', id, emoji, on: true });
    await expect.poll(() => changes, { intervals: [20] }).toBe((n + 1) * 4);
    replyTo = id;
  }
  console.log(`HTML of the room, brotli: ${((await packed(`${server.url}/rooms/${roomId}`)) / 1000).toFixed(1)} KB (target: at most 15)`);
  socket.close();
});
