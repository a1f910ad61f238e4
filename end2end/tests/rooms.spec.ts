import { burst, Guest } from './guests';
import { expect, test, unique } from './people';

test('a room that somebody else makes appears in the list, and its last line follows', async ({ newPerson, newGuest, server }) => {
  const mina = await newPerson('mina');
  await mina.createRoom(unique('여기'));
  const name = unique('다른 이가 연 방');
  const { roomId } = await server.createRoom(name);
  await expect(mina.roomInList(name)).toHaveCount(1);
  await expect(mina.roomInList(name).locator('.room-item-last')).toHaveText('아직 아무 말도 없습니다');

  const sora = await newGuest('sora', roomId);
  sora.talk(roomId, '여기는 조용하네요');
  await expect(mina.roomInList(name).locator('.room-item-last')).toHaveText(/sora \d+: 여기는 조용하네요/);
  sora.talk(roomId, '아무도 없나요');
  await expect(mina.roomInList(name).locator('.room-item-last')).toHaveText(/sora \d+: 아무도 없나요/);
  await expect(mina.roomInList(name).locator('.room-item-count')).toHaveText(/^1/);
});

test('the home page lists new rooms as they are made, the newest first', async ({ newPerson, ownServer }) => {
  const mina = await newPerson('mina', { server: ownServer });
  await mina.openHome();
  await expect(mina.page.getByRole('heading', { level: 1 })).toHaveText('첫 방을 열어 보세요');
  await expect(mina.list.locator('.room-item')).toHaveCount(1);
  await expect(mina.list.locator('.room-item .badge')).toHaveText('누구나');
  const { roomId } = await ownServer.createRoom('방금 연 방');
  const names = mina.list.locator('.room-item-name > [dir]');
  await expect(names).toHaveText(['방금 연 방', '마당']);
  const sora = await Guest.enter(ownServer, roomId, 'sora');
  sora.talk(roomId, '여기 있어요');
  await expect(mina.roomInList('방금 연 방')).toContainText('여기 있어요');
  await ownServer.createRoom('그 뒤에 연 방');
  await expect(names).toHaveText(['그 뒤에 연 방', '방금 연 방', '마당']);
  await mina.page.reload();
  await expect(names).toHaveText(['그 뒤에 연 방', '방금 연 방', '마당']);
});

test('one moves between rooms, back and forth, and each message stays in its room', async ({ newPerson, newGuest, server }) => {
  const mina = await newPerson('mina');
  const names = [unique('첫째 방'), unique('둘째 방')];
  await mina.createRoom(names[0]);
  await mina.join();
  await mina.say('첫째 방에서');
  await mina.sees('첫째 방에서');
  const { roomId } = await server.createRoom(names[1]);
  const sora = await newGuest('sora', roomId);
  sora.talk(roomId, '둘째 방에서');

  await mina.roomInList(names[1]).click();
  await expect(mina.page).toHaveURL(`/rooms/${roomId}`);
  await expect(mina.page.getByRole('heading', { level: 1 })).toHaveText(names[1]);
  await expect(mina.page).toHaveTitle(`${names[1]} · 마당`);
  await mina.reads(['둘째 방에서']);
  await expect(mina.composer).toBeFocused();
  await expect(mina.roomInList(names[1])).toHaveAttribute('aria-current', 'page');
  await mina.isLive();
  await mina.say('저도 왔어요');
  await sora.hears({ type: 'TALK', roomId, sender: mina.name, message: '저도 왔어요' });

  await mina.page.goBack();
  await expect(mina.page.getByRole('heading', { level: 1 })).toHaveText(names[0]);
  await mina.reads(['첫째 방에서']);
  await mina.page.goForward();
  await mina.reads(['둘째 방에서', '저도 왔어요']);
});

test('another room opens at its end with its own words, however alike the two are and wherever one was', async ({ newPerson, newGuest, server }) => {
  const mina = await newPerson('mina');
  const rooms: { name: string; roomId: string; texts: string[] }[] = [];
  for (const name of [unique('이쪽 방'), unique('저쪽 방')]) {
    const { roomId } = await server.createRoom(name);
    const sora = await newGuest('sora', roomId);
    const texts = burst(sora, roomId, 40, (n) => `${name}에서 ${n}번째`);
    await sora.hears({ type: 'TALK', message: texts.at(-1) });
    rooms.push({ name, roomId, texts });
  }
  await mina.openRoom(`/rooms/${rooms[0].roomId}`);
  await mina.join();
  await mina.reads(rooms[0].texts);
  await mina.messages.first().scrollIntoViewIfNeeded();
  await mina.roomInList(rooms[1].name).click();
  await mina.reads(rooms[1].texts);
  await expect(mina.messages.last()).toBeInViewport();

  // A menu that is open stands for a message of this room, and goes with it.
  await mina.messages.last().getByRole('button', { name: '더 보기' }).press('Enter');
  await expect(mina.page.locator('#message-menu')).toBeVisible();
  await mina.page.goBack();
  await mina.reads(rooms[0].texts);
  await expect(mina.page.locator('#message-menu')).toBeHidden();
});

test('the room that was chosen last is the one that opens, however late the other answers', async ({ newPerson, server }) => {
  const mina = await newPerson('mina');
  await mina.createRoom(unique('여기서 출발'));
  const names = [unique('느린 방'), unique('빠른 방')];
  for (const name of names) await server.createRoom(name);
  const answer = await mina.holdRoomPage();

  const asked = mina.page.waitForRequest('**/api/room_page*');
  await mina.roomInList(names[0]).click();
  await asked;
  await mina.roomInList(names[1]).click();
  await expect(mina.page.getByRole('heading', { level: 1 })).toHaveText(names[1]);
  const answered = mina.page.waitForEvent('requestfinished', (request) => request.url().includes('/api/room_page'));
  answer();
  await answered;
  await mina.join();
  await mina.say('여기가 맞지요?');
  await mina.sees('여기가 맞지요?');
  await expect(mina.page.getByRole('heading', { level: 1 })).toHaveText(names[1]);
  await expect(mina.page).toHaveTitle(`${names[1]} · 마당`);
});

test('a room that never answers is given up, and can be chosen again', async ({ newPerson, server }) => {
  const mina = await newPerson('mina');
  const [here, there] = [unique('남는 방'), unique('조용한 방')];
  await server.createRoom(there);
  await mina.createRoom(here);
  await mina.page.evaluate(() => {
    const { timeout } = AbortSignal;
    // A second for half a minute, once.
    AbortSignal.timeout = (ms) => {
      AbortSignal.timeout = timeout;
      return timeout.call(AbortSignal, ms / 30);
    };
  });
  await mina.holdRoomPage();
  await mina.roomInList(there).click();
  await expect(mina.page.locator('#main')).toHaveAttribute('aria-busy', 'true');
  await expect(mina.page.locator('#main')).toHaveAttribute('aria-busy', 'false');
  await expect(mina.page.getByRole('heading', { level: 1 })).toHaveText(here);
  await mina.roomInList(there).click();
  await expect(mina.page.getByRole('heading', { level: 1 })).toHaveText(there);
});

test('a blank room name is answered beside the field', async ({ newPerson, faults }) => {
  faults.allow(/400 \(Bad Request\)/);
  const mina = await newPerson('mina');
  await mina.openHome();
  await mina.page.locator('#create-name').fill(' ');
  await mina.page.locator('#create-name').press('Enter');
  await expect(mina.page.locator('.create #create-error')).toHaveText('방 이름은 1자에서 80자까지입니다.');
  await expect(mina.page.locator('#create-name')).toHaveAttribute('aria-invalid', 'true');
});

test('an unknown room and an unknown page are said to be so', async ({ newPerson, faults }) => {
  faults.allow(/404 \(Not Found\)/);
  const mina = await newPerson('mina');
  for (const [path, title] of [
    ['/rooms/0190a5e4-0000-7000-8000-000000000000', '이 방을 찾을 수 없습니다'],
    ['/rooms/nowhere', '이 방을 찾을 수 없습니다'],
    ['/nothing/here', '이 페이지를 찾을 수 없습니다'],
  ]) {
    const response = await mina.page.goto(path);
    expect(response!.status()).toBe(404);
    await expect(mina.page.getByRole('heading', { level: 1 })).toHaveText(title);
  }
  await mina.page.getByRole('link', { name: '마당으로 돌아가기' }).click();
  await expect(mina.page).toHaveURL('/');
});

test('whoever made a room gives it another name and a topic; nobody else does', async ({ newPerson, faults }) => {
  faults.allow(/400 \(Bad Request\)/);
  const [mina, jun] = [await newPerson('mina'), await newPerson('jun')];
  await mina.openHome();
  await mina.page.goto(`/rooms/${await mina.server.lobby()}`);
  await mina.join();
  const [old, name] = [unique('옛 이름'), unique('새 이름')];
  const link = await mina.createRoom(old);
  await jun.openRoom(link);
  await jun.join();
  const rename = ({ page }: typeof mina) => page.getByRole('button', { name: '방 이름과 주제 고치기' });
  await expect(rename(jun)).toHaveCount(0);
  await rename(mina).click();
  await mina.page.locator('#room-form-name').fill(' ');
  await mina.page.locator('#room-settings').getByRole('button', { name: '저장' }).click();
  await expect(mina.page.locator('#room-form-error')).toBeVisible();
  await mina.page.locator('#room-form-name').fill(name);
  await mina.page.locator('#room-form-topic').fill('토요일 준비');
  await mina.page.locator('#room-settings').getByRole('button', { name: '저장' }).click();
  for (const person of [mina, jun]) {
    await expect(person.page.getByRole('heading', { level: 1 })).toHaveText(name);
    await expect(person.page.locator('.room-topic')).toHaveText('토요일 준비');
    await expect(person.roomInList(name)).toHaveCount(1);
    await expect(person.roomInList(old)).toHaveCount(0);
  }
});

test('a room that was made before taking a name is the maker\'s too', async ({ newPerson }) => {
  const [mina, jun] = [await newPerson('mina'), await newPerson('jun')];
  const rename = ({ page }: typeof mina) => page.getByRole('button', { name: '방 이름과 주제 고치기' });
  const link = await mina.createRoom(unique('이름 없이 연 방'));
  await jun.openRoom(link);
  await jun.join();
  await mina.join();
  await expect(rename(mina)).toBeVisible();
  await expect(rename(jun)).toHaveCount(0);
});

test('an invitation is a link to copy and a QR code of it', async ({ newPerson }) => {
  const mina = await newPerson('mina');
  await mina.createRoom(unique('초대하는 방'));
  await mina.page.getByRole('button', { name: '초대' }).click();
  const code = mina.page.getByRole('img', { name: '이 방의 QR 코드' });
  await expect(code).toBeVisible();
  await expect.poll(() => code.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThanOrEqual(200);
});

test('one goes to a room by a part of its name, with the keyboard alone', async ({ newPerson, server }) => {
  const mina = await newPerson('mina');
  const [here, there, other] = [unique('Here'), unique('Release Train'), unique('딴 데')];
  for (const name of [there, other]) await server.createRoom(name);
  await mina.createRoom(here);
  await mina.join();
  await mina.page.keyboard.press('Control+k');
  await expect(mina.page.locator('#switcher input')).toBeFocused();
  await mina.page.keyboard.type('release tr');
  await expect(mina.page.locator('#switcher .room-item')).toHaveCount(1);
  await mina.page.keyboard.press('Enter');
  await expect(mina.page.getByRole('heading', { level: 1 })).toHaveText(there);
  await expect(mina.page.locator('#switcher')).toBeHidden();
  await expect(mina.roomInList(other)).toBeVisible();

  await mina.page.keyboard.press('Control+k');
  await mina.page.keyboard.press('ArrowDown');
  await expect(mina.page.locator('#switcher .room-item').first()).toBeFocused();
  await mina.page.keyboard.press('Escape');
  await expect(mina.page.locator('#switcher')).toBeHidden();
});

test('a room is opened by the click on it, whatever happens in the list between press and release', async ({ newPerson, newGuest, server }) => {
  const mina = await newPerson('mina');
  const heard: string[] = [];
  mina.page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => heard.push(payload.toString())));
  const [here, name, busy] = [unique('있던 방'), unique('눌린 방'), unique('바쁜 방')];
  await mina.createRoom(here);
  await mina.join();
  const rooms = { pressed: (await server.createRoom(name)).roomId, busy: (await server.createRoom(busy)).roomId };
  const [jun, sora] = [await newGuest('jun', rooms.pressed), await newGuest('sora', rooms.busy)];
  await expect(mina.roomInList(busy)).toContainText('1');
  const order = async () => (await mina.list.locator('.room-item-name').allTextContents()).filter((room) => [here, name, busy].includes(room));

  // While the pointer is over the list, what is said is shown there, and nothing moves.
  await mina.roomInList(name).hover();
  const before = await order();
  sora.talk(rooms.busy, '하나');
  await expect(mina.roomInList(busy)).toContainText('하나');
  expect(await order()).toEqual(before);
  // While a room is pressed, not even what is in its row is written anew.
  await mina.page.mouse.down();
  jun.talk(rooms.pressed, '둘');
  await expect.poll(() => heard.filter((frame) => frame.includes(`"LIST","roomId":"${rooms.pressed}"`) && frame.includes('둘"'))).toHaveLength(1);
  await mina.page.mouse.up();
  await expect(mina.page.getByRole('heading', { level: 1 })).toHaveText(name);
  await expect(mina.roomInList(name)).toContainText('둘');

  // Once it has left, the rooms stand by when something was last said there.
  expect(await order()).toEqual(before);
  await mina.composer.hover();
  await expect.poll(order).toEqual([name, busy, here]);
});
