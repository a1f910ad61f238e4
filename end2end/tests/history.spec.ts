import type { Locator, Page } from '@playwright/test';
import { burst } from './guests';
import { expect, test, unique } from './people';

const top = async (message: Locator) => (await message.boundingBox())!.y;

/** What came into sight has been drawn, and has the height that it has. */
const isDrawn = (page: Page) => page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));

test('older messages come by themselves, in order, without moving what one reads', async ({ newPerson, newGuest, server }) => {
  const mina = await newPerson('mina');
  const { roomId } = await server.createRoom(unique('긴 이야기'));
  const sora = await newGuest('sora', roomId);
  const texts = burst(sora, roomId, 120);
  await sora.hears({ type: 'TALK', message: texts.at(-1) });

  await mina.openRoom(`/rooms/${roomId}`);
  await mina.join();
  await mina.reads(texts.slice(70));
  await expect(mina.message(texts[119])).toBeInViewport();

  for (const [reading, from] of [[80, 20], [30, 0]]) {
    const release = await mina.holdRoomPage();
    await mina.message(texts[reading]).scrollIntoViewIfNeeded();
    await isDrawn(mina.page);
    const before = await top(mina.message(texts[reading]));
    release();
    await mina.reads(texts.slice(from));
    await expect.poll(async () => Math.abs((await top(mina.message(texts[reading]))) - before), 'the message moved by (px)').toBeLessThanOrEqual(1);
  }
  await expect(mina.timeline.getByRole('link', { name: '이전 메시지 보기' })).toHaveCount(0);

  sora.talk(roomId, '그리고 새 말');
  await mina.reads([...texts, '그리고 새 말']);
});

test('a link to a message shows it among its neighbours, and the way on from there has no hole', async ({ newPerson, newGuest, server }) => {
  test.slow();
  const mina = await newPerson('mina');
  const { roomId } = await server.createRoom(unique('아주 긴 이야기'));
  const sora = await newGuest('sora', roomId);
  const texts = burst(sora, roomId, 400);
  await sora.hears({ type: 'TALK', message: texts.at(-1) });

  await mina.openRoom(`/rooms/${roomId}?at=100#m-100`);
  await mina.join();
  await mina.page.goto(`/rooms/${roomId}?at=100#m-100`);
  await mina.isLive();
  await expect(mina.message(texts[99])).toBeInViewport();
  await expect(mina.message(texts[399])).toHaveCount(0);
  await expect(mina.page.locator('#to-latest')).toBeVisible();
  // Reading on, page by page, to the end.
  await expect(async () => {
    await mina.messages.last().scrollIntoViewIfNeeded();
    await expect(mina.message(texts[399])).toHaveCount(1, { timeout: 500 });
  }).toPass();
  const shown = await mina.texts.allTextContents();
  expect(shown).toEqual(texts.slice(400 - shown.length));
  sora.talk(roomId, '지금 한 말');
  await mina.sees('지금 한 말');

  await mina.page.goto(`/rooms/${roomId}?at=100#m-100`);
  await mina.isLive();
  await mina.page.locator('#to-latest').click();
  await expect(mina.message('지금 한 말')).toBeInViewport();
  await expect(mina.page, 'a reload leads there too').toHaveURL(`/rooms/${roomId}`);

  await mina.page.goto(`/rooms/${roomId}?at=100#m-100`);
  await mina.isLive();
  await mina.say('여기서 이어 말합니다');
  await expect(mina.message('여기서 이어 말합니다')).toBeInViewport();
  await expect(mina.page).toHaveURL(`/rooms/${roomId}`);
});

test('a high window is filled, up and down', async ({ newPerson, newGuest, server }) => {
  const mina = await newPerson('mina');
  const { roomId } = await server.createRoom(unique('높은 창'));
  const sora = await newGuest('sora', roomId);
  const texts = burst(sora, roomId, 120);
  await sora.hears({ type: 'TALK', message: texts.at(-1) });
  await mina.page.setViewportSize({ width: 900, height: 4000 });
  await mina.openRoom(`/rooms/${roomId}?at=60#m-60`);
  await mina.reads(texts);
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
  // One by one they are no whole number of pixels high.
  for (let n = 0; n < 30; n++) {
    sora.talk(mina.roomId, `한 마디씩 ${n}`);
    await expect(mina.message(`한 마디씩 ${n}`)).toHaveCount(1);
  }
  await isDrawn(mina.page);
  expect(Math.abs((await top(mina.message(texts[10]))) - before), 'the message moved by (px)').toBeLessThan(2);

  await mina.say('저도 한마디');
  await expect(mina.message('저도 한마디')).toBeInViewport();
});

test('what the browser leads to stays where it brought it, whatever is drawn and loaded around it', async ({ newPerson, newGuest, server }) => {
  const mina = await newPerson('mina');
  const { roomId } = await server.createRoom(unique('찾아 읽는 방'));
  const sora = await newGuest('sora', roomId);
  const texts = burst(sora, roomId, 160);
  await sora.hears({ type: 'TALK', message: texts.at(-1) });
  await mina.openRoom(`/rooms/${roomId}`);
  await mina.join();
  const stays = async (reading: number, from: number) => {
    // As searching the page does.
    const led = await mina.message(texts[reading]).evaluate((message) => {
      message.scrollIntoView({ block: 'center' });
      return message.querySelector('.message-body')!.getBoundingClientRect().y;
    });
    await mina.reads(texts.slice(from));
    await isDrawn(mina.page);
    await isDrawn(mina.page);
    const moved = (await top(mina.message(texts[reading]).locator('.message-body'))) - led;
    expect(Math.abs(moved), `number ${reading} moved by ${moved} px`).toBeLessThanOrEqual(1);
  };
  // Near the first of what is here, which is loaded then: near that, and where the chunk above has never been drawn.
  for (const reading of [64, 70]) {
    await mina.openRoom(`/rooms/${roomId}`);
    await mina.reads(texts.slice(110));
    await mina.message(texts[112]).scrollIntoViewIfNeeded();
    await mina.reads(texts.slice(60));
    await stays(reading, 10);
  }
  await stays(91, 10);
  await stays(10, 0);
});

test('among messages of very different heights an address leads to its message, and being led down is not taken back', async ({ newPerson, newGuest, server }) => {
  test.slow();
  const mina = await newPerson('mina');
  const { roomId } = await server.createRoom(unique('들쭉날쭉한 방'));
  const sora = await newGuest('sora', roomId);
  const kinds = ['긴 이야기 '.repeat(300), `\`\`\`\n${'한 줄\n'.repeat(12)}\`\`\``, '- 하나\n- 둘\n- 셋', '마흔 낱말 '.repeat(40)];
  const texts = Array.from({ length: 200 }, (_, n) => kinds[n % 9] ?? `${n + 1}번째 말`);
  texts.forEach((text) => sora.talk(roomId, text));
  await sora.hears({ type: 'TALK', message: texts.at(-1) });
  await mina.openRoom(`/rooms/${roomId}`);
  await mina.join();
  const number = (seq: number) => mina.timeline.locator(`#m-${seq}`);
  for (const seq of [5, 12, 25, 77, 100]) {
    await mina.page.goto('about:blank');
    await mina.openRoom(`/rooms/${roomId}?at=${seq}#m-${seq}`);
    await expect(number(seq)).toBeInViewport();
    await expect.poll(async () => Math.abs((await top(number(seq))) - (await top(mina.timeline)) - mina.page.viewportSize()!.height / 4)).toBeLessThanOrEqual(1);
  }
  for (const seq of [110, 120, 112, 122]) {
    const led = await number(seq).evaluate((message) => {
      message.scrollIntoView({ block: 'center' });
      return message.getBoundingClientRect().y;
    });
    await isDrawn(mina.page);
    await isDrawn(mina.page);
    expect(Math.abs((await top(number(seq))) - led), `number ${seq} moved by (px)`).toBeLessThanOrEqual(1);
  }
});

test('an answer leads to a message thousands back, and puts it where it stays', async ({ newPerson, newGuest, server }) => {
  test.slow();
  const mina = await newPerson('mina');
  const { roomId } = await server.createRoom(unique('만 마디 방'));
  const sora = await newGuest('sora', roomId);
  const texts = burst(sora, roomId, 6_000);
  await expect.poll(async () => (await server.messages(roomId)).at(-1)?.message, { timeout: 60_000 }).toBe(texts.at(-1));
  const first = (await (await fetch(`${server.url}/chat/${roomId}/messages?before=101&limit=1`)).json()).messages[0];
  await mina.openRoom(`/rooms/${roomId}`);
  await mina.join();
  await mina.page.request.post('/api/post_message', {
    form: { room_id: roomId, message: '그때 그 말', reply_to: first.id },
    headers: { origin: server.url },
  });
  await mina.message('그때 그 말').locator('.quote').click();
  const target = mina.timeline.locator('#m-100');
  await expect(target).toBeInViewport();
  await expect(target).toHaveClass(/message-shown/);
  // Under the edge by a quarter of the window, to the pixel, and no later layout moves it.
  const where = async () => (await top(target)) - (await top(mina.timeline));
  const height = mina.page.viewportSize()!.height;
  await expect.poll(async () => Math.abs((await where()) - height / 4)).toBeLessThanOrEqual(1);
  await isDrawn(mina.page);
  expect(Math.abs((await where()) - height / 4)).toBeLessThanOrEqual(1);
});

test('of a hundred messages a second none is dropped on the way to the screen', async ({ newPerson, newGuest }) => {
  const mina = await newPerson('mina');
  await mina.createRoom(unique('소나기 방'));
  await mina.join();
  const sora = await newGuest('sora', mina.roomId);
  const texts = Array.from({ length: 300 }, (_, index) => `${index + 1}번째 방울`);
  for (let from = 0; from < texts.length; from += 10) {
    texts.slice(from, from + 10).forEach((text) => sora.talk(mina.roomId, text));
    await mina.page.evaluate(() => new Promise((later) => setTimeout(later, 100)));
  }
  await mina.reads(texts);
  await expect(mina.message(texts[299])).toBeInViewport();
});

test('back at a link into the middle of a room one sees its message', async ({ newPerson, newGuest, server }) => {
  const mina = await newPerson('mina');
  const elsewhere = unique('다른 방');
  await server.createRoom(elsewhere);
  const { roomId } = await server.createRoom(unique('되돌아오는 방'));
  const sora = await newGuest('sora', roomId);
  const texts = burst(sora, roomId, 200);
  await sora.hears({ type: 'TALK', message: texts.at(-1) });
  await mina.openRoom(`/rooms/${roomId}`);
  await mina.join();
  await mina.openRoom(`/rooms/${roomId}?at=20#m-20`);
  await mina.isLive();
  await expect(mina.timeline.locator('#m-20')).toBeInViewport();
  await mina.roomInList(elsewhere).click();
  await expect(mina.messages).toHaveCount(0);
  await mina.page.goBack();
  await expect(mina.timeline.locator('#m-20')).toBeInViewport();
});

test('messages that cannot be fetched are said to be so, and come at the next try', async ({ newPerson, newGuest, server, faults }) => {
  faults.allow(/net::ERR_FAILED/);
  const mina = await newPerson('mina');
  const { roomId } = await server.createRoom(unique('닿지 않는 옛말'));
  const sora = await newGuest('sora', roomId);
  const texts = burst(sora, roomId, 150);
  await sora.hears({ type: 'TALK', message: texts.at(-1) });
  await mina.openRoom(`/rooms/${roomId}?at=20#m-20`);
  await mina.join();
  await mina.openRoom(`/rooms/${roomId}?at=20#m-20`);
  await expect(mina.message(texts[19])).toBeInViewport();
  await mina.page.route('**/api/room_page**', (route) => route.abort());
  await mina.page.locator('#to-latest').click();
  await expect(mina.page.locator('#composer-error')).toContainText('연결할 수 없습니다');
  await mina.page.unroute('**/api/room_page**');
  await mina.page.locator('#to-latest').click();
  await expect(mina.message(texts[149])).toBeInViewport();
});
