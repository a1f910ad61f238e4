import type { Locator } from '@playwright/test';
import { burst } from './guests';
import { expect, test, unique } from './people';

/** A message that changes its place in a run of one author grows or shrinks by its head. */
const HEAD_PX = 40;

const top = async (message: Locator) => (await message.boundingBox())!.y;

test('older messages come by the button, in order, without moving what one reads', async ({ newPerson, newGuest, server }) => {
  const mina = await newPerson('mina');
  const { roomId } = await server.createRoom(unique('긴 이야기'));
  const sora = await newGuest('sora', roomId);
  const texts = burst(sora, roomId, 120);
  await sora.hears({ type: 'TALK', message: texts.at(-1) });

  await mina.openRoom(`/rooms/${roomId}`);
  await mina.join();
  await mina.reads(texts.slice(70));
  await expect(mina.message(texts[119])).toBeInViewport();

  const older = mina.timeline.getByRole('link', { name: '이전 메시지 보기' });
  for (const [reading, from] of [[70, 20], [20, 0]]) {
    await older.scrollIntoViewIfNeeded();
    const before = await top(mina.message(texts[reading]));
    await older.click();
    await mina.reads(texts.slice(from));
    await expect.poll(async () => Math.abs((await top(mina.message(texts[reading]))) - before), 'the message moved by (px)').toBeLessThan(HEAD_PX);
  }
  await expect(older).toHaveCount(0);

  sora.talk(roomId, '그리고 새 말');
  await mina.reads([...texts, '그리고 새 말']);
});

test('new messages do not move what one reads further up, one\'s own bring the end into view', async ({ newPerson, newGuest }) => {
  const mina = await newPerson('mina');
  await mina.createRoom(unique('되짚어 읽는 방'));
  await mina.join();
  const sora = await newGuest('sora', mina.roomId);
  const texts = burst(sora, mina.roomId, 60);
  await expect(mina.message(texts[59])).toBeInViewport();

  await mina.message(texts[10]).scrollIntoViewIfNeeded();
  const before = await top(mina.message(texts[10]));
  sora.talk(mina.roomId, '아래에서 새로');
  await mina.reads([...texts, '아래에서 새로']);
  await expect.poll(async () => Math.abs((await top(mina.message(texts[10]))) - before), 'the message moved by (px)').toBeLessThan(2);
  await expect(mina.message('아래에서 새로')).not.toBeInViewport();

  await mina.say('저도 한마디');
  await expect(mina.message('저도 한마디')).toBeInViewport();
});
