import { burst, Guest } from './guests';
import { expect, test, unique } from './people';

test('two people in two browsers talk, each message once and in order', async ({ newPerson }) => {
  const [mina, jun] = [await newPerson('mina'), await newPerson('jun')];
  const link = await mina.createRoom(unique('봄 소풍'));
  await mina.join();
  await jun.openRoom(link);
  await jun.join();

  await mina.say('어서 와요');
  await jun.sees('어서 와요');
  await jun.say('불러 줘서 고마워요');
  await mina.sees('불러 줘서 고마워요');
  await mina.say('토요일에 봬요');
  await jun.sees('토요일에 봬요');

  for (const person of [mina, jun]) await person.reads(['어서 와요', '불러 줘서 고마워요', '토요일에 봬요']);
  await expect(mina.message('어서 와요')).toHaveClass(/message-own/);
  await expect(mina.message('불러 줘서 고마워요')).not.toHaveClass(/message-own/);
  await expect(mina.message('불러 줘서 고마워요').locator('.message-author')).toHaveText(jun.name);
  await expect(jun.message('불러 줘서 고마워요')).toHaveClass(/message-own/);
  await expect(jun.message('어서 와요').locator('.message-author')).toHaveText(mina.name);
});

test('whoever has only the link reads along before joining', async ({ newPerson }) => {
  const [mina, jun] = [await newPerson('mina'), await newPerson('jun')];
  const link = await mina.createRoom(unique('열린 방'));
  await mina.join();
  await mina.say('들어오기 전에도 보입니다');
  await mina.sees('들어오기 전에도 보입니다');

  await jun.openRoom(link);
  await jun.sees('들어오기 전에도 보입니다');
  await expect(jun.composer).toHaveCount(0);
  await mina.say('나중에 한 말도요');
  await jun.sees('나중에 한 말도요');
});

test('somebody with nothing but a WebSocket client hears and is heard, and is marked as a guest', async ({ newPerson, newGuest }) => {
  const mina = await newPerson('mina');
  await mina.createRoom(unique('소켓 방'));
  await mina.join();
  const sora = await newGuest('sora', mina.roomId);

  await expect(mina.notices).toHaveText([/sora \d+ 님이 들어왔습니다/]);
  sora.talk(mina.roomId, 'wscat에서 인사합니다');
  await mina.sees('wscat에서 인사합니다');
  await sora.hears({ type: 'TALK', message: 'wscat에서 인사합니다' });
  await expect(mina.message('wscat에서 인사합니다').locator('.badge')).toHaveText('손님');

  await mina.say('반가워요');
  await sora.hears({ type: 'TALK', roomId: mina.roomId, sender: mina.name, message: '반가워요' });
  await mina.reads(['wscat에서 인사합니다', '반가워요']);
  expect([sora.times('wscat에서 인사합니다'), sora.times('반가워요')]).toEqual([1, 1]);
});

test('plain text clients and a browser in the lobby hear each other', async ({ newPerson, server }) => {
  const mina = await newPerson('mina');
  const [first, second] = [await Guest.connect(server), await Guest.connect(server)];
  await mina.openHome();
  await mina.list.locator('.room-item-lobby').click();
  await expect(mina.page).toHaveURL(`/rooms/${await server.lobby()}`);
  await mina.join();

  const [plain, answer] = [unique('그냥 글자'), unique('화면에서 대답')];
  first.sendText(plain);
  await mina.sees(plain);
  await second.hears(plain);
  await expect(mina.message(plain).locator('.message-author')).toHaveText(/^손님-\w{4}$/);

  await mina.say(answer);
  for (const guest of [first, second]) {
    await guest.hears(answer);
    expect([guest.times(plain), guest.times(answer)]).toEqual([1, 1]);
    await guest.leave();
  }
});

test('a reload keeps history, identity and presence', async ({ newPerson }) => {
  const [mina, jun] = [await newPerson('mina'), await newPerson('jun')];
  const link = await mina.createRoom(unique('오래 남는 방'));
  await mina.join();
  await jun.openRoom(link);
  await jun.join();
  await mina.say('새로고침 전');
  await jun.sees('새로고침 전');

  await mina.page.reload();
  await mina.isLive();
  await expect(mina.message('새로고침 전')).toHaveClass(/message-own/);
  await mina.say('새로고침 뒤');

  await jun.reads(['새로고침 전', '새로고침 뒤']);
  await expect(jun.messages.locator('.message-author')).toHaveText([mina.name, mina.name]);
  await expect(jun.notices).toHaveCount(0);
  for (const person of [mina, jun]) await expect(person.members).toHaveCount(2);
});

test('what one writes before the page has come to life is kept, and sent once', async ({ newPerson }) => {
  const mina = await newPerson('mina');
  await mina.createRoom(unique('성급한 방'));
  await mina.join();
  const wake = await mina.reloadAsleep();
  await mina.composer.fill('벌써 썼어요');
  await wake();
  await expect(mina.composer).toHaveValue('벌써 썼어요');
  await mina.composer.press('Enter');
  await mina.sees('벌써 썼어요');
  await expect(mina.composer).toHaveValue('');
});

test('two tabs of one browser are one person', async ({ newPerson }) => {
  const [mina, jun] = [await newPerson('mina'), await newPerson('jun')];
  const link = await mina.createRoom(unique('두 창'));
  await mina.join();
  await jun.openRoom(link);
  await jun.join();
  const second = await mina.newTab();
  await second.openRoom(link);
  await second.say('다른 창에서');
  for (const tab of [mina, second]) {
    await tab.sees('다른 창에서');
    await expect(tab.message('다른 창에서')).toHaveClass(/message-own/);
  }
  await second.page.close();
  await jun.say('아직 있지요?');
  await mina.sees('아직 있지요?');
  await expect(jun.members).toHaveCount(2);
  await expect(jun.notices).toHaveCount(0);
});

test('others see who is writing until the message is there', async ({ newPerson }) => {
  const [mina, jun] = [await newPerson('mina'), await newPerson('jun')];
  const link = await mina.createRoom(unique('받아쓰기'));
  await mina.join();
  await jun.openRoom(link);
  await jun.join();

  await jun.composer.pressSequentially('잠깐만');
  await expect(mina.typing).toHaveText(`${jun.name} 님이 쓰고 있습니다`);
  await expect(jun.typing).toHaveText('');
  await jun.composer.press('Enter');
  await mina.sees('잠깐만');
  await expect(mina.typing).toHaveText('', { timeout: 1_000 });
});

test('the list of members follows who comes and goes', async ({ newPerson, newGuest }) => {
  const [mina, jun] = [await newPerson('mina'), await newPerson('jun')];
  const link = await mina.createRoom(unique('드나드는 방'));
  await mina.join();
  await expect(mina.members).toHaveText([/^\S*mina \d+\s*나$/]);

  await jun.openRoom(link);
  await jun.join();
  await expect(mina.members.locator('.member-name')).toHaveText([jun.name, mina.name]);
  const sora = await newGuest('sora', mina.roomId);
  await expect(mina.members).toHaveCount(3);
  await expect(mina.members.filter({ hasText: 'sora' }).locator('.badge')).toHaveText('손님');
  await expect(mina.page.locator('.room-meta')).toContainText('3명이 함께 있습니다');

  await sora.leave();
  await expect(mina.members).toHaveCount(2);
  await jun.signOut();
  await expect(mina.members.locator('.member-name')).toHaveText([mina.name]);
  await expect(mina.page.locator('.room-meta')).toContainText('1명이 함께 있습니다');
  await expect(mina.notices.last()).toContainText('나갔습니다');
});

test('one line says who came and who went; whoever is back at once was never away', async ({ newPerson, newGuest }) => {
  const mina = await newPerson('mina');
  await mina.createRoom(unique('문이 도는 방'));
  await mina.join();
  const name = unique('sora');
  let sora = await Guest.enter(mina.server, mina.roomId, name);
  const jun = await newGuest('jun', mina.roomId);
  await expect(mina.notices).toHaveText([/^sora.*, jun.* 님이 들어왔습니다$/]);
  for (let visit = 0; visit < 3; visit++) {
    await sora.leave();
    await expect(mina.notices).toHaveText([/들어왔습니다$/, /^sora.* 님이 나갔습니다$/]);
    sora = await Guest.enter(mina.server, mina.roomId, name);
    await expect(mina.notices).toHaveText([/들어왔습니다$/]);
  }
  await sora.leave();
  await jun.leave();
  await expect(mina.notices).toHaveText([/들어왔습니다$/, /^sora.*, jun.* 님이 나갔습니다$/]);
});

test('HTML and scripts in messages and names are shown as text', async ({ newPerson }) => {
  const mina = await newPerson('mina');
  const name = unique('</script><script>alert(1)</script>');
  const texts = [
    '<script>alert(1)</script>',
    '</script></template><img src=x onerror=alert(1)> & "따옴표" \'작은따옴표\'',
    '<b>굵게</b> &lt;i&gt; javascript:alert(1) <!-- 주석',
  ];
  mina.page.on('dialog', (dialog) => expect(dialog.message(), 'a script ran').toBeNull());
  await mina.createRoom(name);
  await mina.join();
  for (const text of texts) await mina.say(text);
  await mina.reads(texts);

  await mina.page.reload();
  await mina.isLive();
  await mina.reads(texts);
  await expect(mina.timeline.locator('.message-body :is(img, script, b, i)')).toHaveCount(0);
  await expect(mina.page.getByRole('heading', { level: 1 })).toHaveText(name);
  await expect(mina.roomInList(name).locator('.room-item-last')).toHaveText(`${mina.name}: ${texts[2]}`);
});

test('a burst of a hundred messages arrives whole and in order', async ({ newPerson, newGuest }) => {
  const mina = await newPerson('mina');
  await mina.createRoom(unique('빠른 방'));
  await mina.join();
  const sora = await newGuest('sora', mina.roomId);

  const texts = burst(sora, mina.roomId, 100);
  await mina.sees(texts.at(-1)!);
  await mina.reads(texts);
});

test('before its socket the page asks for five files at most', async ({ newPerson }) => {
  const mina = await newPerson('mina');
  await mina.createRoom(unique('가벼운 방'));
  await mina.join();
  const requests: string[] = [];
  // Its icon is the browser's own affair.
  mina.page.on('request', (request) => request.url().includes('/favicon') || requests.push(request.url()));
  const socket = mina.page.waitForEvent('websocket');
  await mina.page.reload();
  await socket;
  expect(requests.length, requests.join('\n')).toBeLessThanOrEqual(5);
});
