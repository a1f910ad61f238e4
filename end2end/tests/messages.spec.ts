import type { Locator } from '@playwright/test';
import { expect, test, unique, type Person } from './people';

const menu = ({ page }: Person): Locator => page.locator('#message-menu');

async function twoTalk(newPerson: (name: string) => Promise<Person>): Promise<[Person, Person]> {
  const [mina, jun] = [await newPerson('mina'), await newPerson('jun')];
  const link = await mina.createRoom(unique('이야기 방'));
  await mina.join();
  await jun.openRoom(link);
  await jun.join();
  return [mina, jun];
}

test('what one changes is changed for everyone, and marked', async ({ newPerson }) => {
  const [mina, jun] = await twoTalk(newPerson);
  await mina.say('열시에 만나요');
  await jun.sees('열시에 만나요');
  await mina.act('열시에 만나요', '고치기');
  await expect(mina.composer).toHaveValue('열시에 만나요');
  await expect(mina.composer).toBeFocused();
  await mina.composer.fill('열한시에 만나요');
  await mina.composer.press('Enter');
  for (const person of [mina, jun]) {
    await person.reads(['열한시에 만나요']);
    await expect(person.message('열한시에 만나요').locator('.message-edited')).toBeVisible();
  }
  await expect(mina.composer).toHaveValue('');
});

test('an arrow up in an empty composer changes one\'s own last message, Escape leaves it', async ({ newPerson }) => {
  const [mina, jun] = await twoTalk(newPerson);
  await mina.say('처음 한 말');
  await jun.say('남의 말');
  await mina.sees('남의 말');
  await mina.composer.press('ArrowUp');
  await expect(mina.composer).toHaveValue('처음 한 말');
  await mina.composer.press('Escape');
  await expect(mina.composer).toHaveValue('');
  await mina.composer.press('ArrowUp');
  await mina.composer.fill('고친 말');
  await mina.composer.press('Enter');
  for (const person of [mina, jun]) await person.reads(['고친 말', '남의 말']);
});

test('what was being written is there again after changing another message', async ({ newPerson }) => {
  const [mina] = await twoTalk(newPerson);
  await mina.say('앞서 한 말');
  await mina.sees('앞서 한 말');
  await mina.composer.fill('쓰던 글');
  await mina.act('앞서 한 말', '고치기');
  await expect(mina.composer).toHaveValue('앞서 한 말');
  await mina.composer.press('Escape');
  await expect(mina.composer).toHaveValue('쓰던 글');
});

test('a change that was begun, and what an answer is to, are there after a reload', async ({ newPerson }) => {
  const [mina, jun] = await twoTalk(newPerson);
  await mina.say('제 말');
  await jun.say('남의 말');
  await mina.sees('남의 말');
  await mina.act('제 말', '고치기');
  await mina.composer.fill('고치다 만 말');
  await mina.page.reload();
  await expect(mina.page.locator('.composer-about')).toContainText('고치는 중');
  await expect(mina.composer).toHaveValue('고치다 만 말');
  await mina.composer.press('Enter');
  await mina.reads(['고치다 만 말', '남의 말']);

  await mina.act('남의 말', '답하기');
  await mina.composer.fill('답하는 말');
  await mina.page.reload();
  await expect(mina.page.locator('.composer-about')).toContainText('님에게 답하기');
  await mina.composer.press('Enter');
  await expect(jun.message('답하는 말').locator('.quote')).toContainText('남의 말');
});

test('what is typed while the page wakes up becomes no part of a message that was being changed', async ({ newPerson }) => {
  const [mina] = await twoTalk(newPerson);
  await mina.say('옛 말');
  await mina.sees('옛 말');
  await mina.act('옛 말', '고치기');
  await mina.composer.fill('옛 말!');
  const wake = await mina.reloadAsleep();
  await mina.composer.fill('새로 쓰는 말');
  await wake();
  await expect(mina.composer).toHaveValue('새로 쓰는 말');
  await mina.composer.press('Enter');
  await mina.reads(['옛 말', '새로 쓰는 말']);
  await mina.page.reload();
  await expect(mina.page.locator('.composer-about')).toContainText('고치는 중');
  await expect(mina.composer).toHaveValue('옛 말!');
});

test('a change that comes too late is refused, and its words are still there', async ({ newPerson }) => {
  const [mina] = await twoTalk(newPerson);
  await mina.say('곧 없을 말');
  await mina.sees('곧 없을 말');
  await mina.act('곧 없을 말', '고치기');
  await mina.composer.fill('길게 고친 말');
  const [{ id }] = await mina.server.messages(mina.roomId);
  const there = await mina.page.context().newPage();
  await there.goto(mina.page.url());
  await there.locator('.message', { hasText: '곧 없을 말' }).hover();
  await there.locator('.message').getByRole('button', { name: '더 보기' }).click();
  await there.locator('#message-menu').getByRole('menuitem', { name: '지우기' }).click();
  await there.close({ runBeforeUnload: true });
  await expect.poll(async () => (await mina.server.messages(mina.roomId)).find((message) => message.id === id)?.deleted).toBe(true);
  await mina.composer.press('Enter');
  await expect(mina.page.locator('#composer-error')).toHaveText('그 메시지는 이제 없습니다.');
  await expect(mina.composer).toHaveValue('길게 고친 말');
});

test('what is deleted is neither changed nor answered any more, and whoever was about to is told', async ({ newPerson }) => {
  const [mina, jun] = await twoTalk(newPerson);
  await mina.say('지울 말');
  await jun.sees('지울 말');
  await jun.act('지울 말', '답하기');
  await jun.composer.fill('무슨 말이에요?');
  await mina.act('지울 말', '고치기');
  await mina.composer.fill('고친 말');
  await mina.act('지울 말', '지우기');
  await expect(mina.page.locator('.composer-about')).toBeHidden();
  await expect(mina.composer).toHaveValue('');
  await expect(jun.page.locator('#composer-error')).toHaveText('그 메시지는 이제 없습니다.');
  await expect(jun.page.locator('.composer-about')).toBeHidden();
  await expect(jun.composer).toHaveValue('무슨 말이에요?');
});

test('code is as wide as its room and no wider', async ({ newPerson }) => {
  const [mina, jun] = await twoTalk(newPerson);
  await mina.composer.fill(`\`\`\`\nlet first = "${'0123456789'.repeat(9)}";\n\`\`\``);
  await mina.page.locator('.composer-send').click();
  for (const person of [mina, jun]) {
    await expect(person.timeline.locator('pre')).toBeVisible();
    for (const width of [320, 390, 800, 1024, 1200]) {
      await person.page.setViewportSize({ width, height: 700 });
      const [timeline, code] = [(await person.timeline.boundingBox())!, (await person.timeline.locator('pre').boundingBox())!];
      expect(code.x, `${width}`).toBeGreaterThanOrEqual(timeline.x);
      expect(code.x + code.width, `${width}`).toBeLessThanOrEqual(timeline.x + timeline.width);
    }
  }
});

test('a deleted message leaves its place and no words; until then that can be undone', async ({ newPerson }) => {
  const [mina, jun] = await twoTalk(newPerson);
  for (const text of ['남을 말', '지울 말']) {
    await mina.say(text);
    await jun.sees(text);
  }
  await mina.act('남을 말', '지우기');
  await mina.timeline.getByRole('button', { name: '되돌리기' }).click();
  await mina.sees('남을 말');
  await mina.act('지울 말', '지우기');
  await expect(mina.message('지울 말')).toHaveCount(0);
  await jun.reads(['남을 말', '지워진 메시지입니다']);
  await mina.reads(['남을 말', '지워진 메시지입니다']);
  expect((await mina.server.messages(mina.roomId)).map(({ message }) => message)).toEqual(['남을 말', '']);
});

test('nobody changes or deletes another\'s message', async ({ newPerson }) => {
  const [mina, jun] = await twoTalk(newPerson);
  await mina.say('제 말');
  await jun.sees('제 말');
  await jun.message('제 말').hover();
  await jun.message('제 말').getByRole('button', { name: '더 보기' }).click();
  await expect(menu(jun).getByRole('menuitem', { name: '답하기' })).toBeVisible();
  for (const deed of ['고치기', '지우기']) await expect(menu(jun).getByRole('menuitem', { name: deed })).toHaveCount(0);
});

test('an answer shows what it answers, and leads there', async ({ newPerson }) => {
  const [mina, jun] = await twoTalk(newPerson);
  await mina.say('누가 돗자리를 가져오나요?');
  await jun.sees('누가 돗자리를 가져오나요?');
  await jun.act('누가 돗자리를 가져오나요?', '답하기');
  await expect(jun.page.locator('.composer-about')).toContainText('누가 돗자리를');
  await jun.say('제가요');
  for (const person of [mina, jun]) {
    await person.sees('제가요');
    await expect(person.message('제가요').locator('.quote')).toContainText('누가 돗자리를 가져오나요?');
  }
  await expect(jun.page.locator('.composer-about')).toBeHidden();
  await mina.message('제가요').locator('.quote').click();
  await expect(mina.message('누가 돗자리를 가져오나요?')).toHaveClass(/message-shown/);

  await mina.act('누가 돗자리를 가져오나요?', '지우기');
  await expect(jun.message('제가요').locator('.quote')).toContainText('지워진 메시지입니다');
});

test('reactions are counted, named, and taken back by the one who made them', async ({ newPerson }) => {
  const [mina, jun] = await twoTalk(newPerson);
  await mina.say('소풍 갈까요?');
  await jun.sees('소풍 갈까요?');
  await jun.act('소풍 갈까요?', '🎉');
  const reaction = (person: Person) => person.message('소풍 갈까요?').locator('.reaction');
  await expect(reaction(mina)).toContainText('1');
  await expect(reaction(mina)).toHaveAttribute('title', jun.name);
  await expect(reaction(mina)).toHaveAttribute('aria-pressed', 'false');
  await reaction(mina).click();
  await expect(reaction(jun)).toContainText('2');
  await expect(reaction(mina)).toHaveAttribute('aria-pressed', 'true');
  await expect(reaction(mina)).toBeFocused();
  await reaction(mina).click();
  await expect(reaction(jun)).toContainText('1');
  await reaction(jun).click();
  await expect(reaction(mina)).toHaveCount(0);
});

test('what somebody has selected to copy stays selected while others react', async ({ newPerson }) => {
  const [mina, jun] = await twoTalk(newPerson);
  await jun.say('열시에 **정문**에서 만나요');
  await mina.sees('정문');
  await mina.messages.locator('.message-body strong').evaluate((place) => getSelection()!.selectAllChildren(place));
  await jun.act('정문', '🎉');
  await expect(mina.messages.locator('.reaction')).toHaveText(/^🎉 1/);
  await jun.messages.locator('.reaction').click();
  await expect(mina.messages.locator('.reaction')).toHaveCount(0);
  expect(await mina.page.evaluate(() => String(getSelection()))).toBe('정문');
});

test('Markdown is shown as people mean it, Korean particles and all', async ({ newPerson }) => {
  const [mina, jun] = await twoTalk(newPerson);
  await mina.say('**"중요"**는 `코드`와 https://example.com을 보세요');
  const body = jun.texts.first();
  await expect(body.locator('strong')).toHaveText('"중요"');
  await expect(body.locator('code')).toHaveText('코드');
  await expect(body.locator('a')).toHaveAttribute('href', 'https://example.com');
  await expect(body.locator('a')).toHaveAttribute('rel', /noopener/);
  await expect(body).toHaveText('"중요"는 코드와 https://example.com을 보세요');
  await mina.composer.fill('- 하나\n- 둘');
  await mina.composer.press('Enter');
  await expect(jun.texts.nth(1).locator('li')).toHaveText(['하나', '둘']);
  // Changing it begins with what was typed.
  await mina.composer.press('ArrowUp');
  await expect(mina.composer).toHaveValue('- 하나\n- 둘');
});

test('the menu is worked with the keyboard alone', async ({ newPerson }) => {
  const [mina, jun] = await twoTalk(newPerson);
  await jun.say('키보드로');
  await mina.sees('키보드로');
  await mina.message('키보드로').getByRole('button', { name: '더 보기' }).focus();
  await mina.page.keyboard.press('Enter');
  await expect(menu(mina).getByRole('menuitem').first()).toBeFocused();
  await mina.page.keyboard.press('End');
  await expect(menu(mina).getByLabel('다른 이모지로 공감하기')).toBeFocused();
  await mina.page.keyboard.press('ArrowUp');
  await expect(menu(mina).getByRole('menuitem', { name: '여기부터 안 읽음' })).toBeFocused();
  await mina.page.keyboard.press('End');
  await mina.page.keyboard.press('ArrowDown');
  await expect(menu(mina).getByRole('menuitem').first()).toBeFocused();
  await mina.page.keyboard.press('Escape');
  await expect(menu(mina)).toBeHidden();
  await expect(mina.message('키보드로').getByRole('button', { name: '더 보기' })).toBeFocused();
});

test('the menu of a message that its author deletes meanwhile closes', async ({ newPerson }) => {
  const [mina, jun] = await twoTalk(newPerson);
  await jun.say('곧 지울 말');
  await mina.sees('곧 지울 말');
  await mina.message('곧 지울 말').hover();
  await mina.message('곧 지울 말').getByRole('button', { name: '더 보기' }).click();
  await expect(menu(mina)).toBeVisible();
  await jun.act('곧 지울 말', '지우기');
  await jun.page.goto('/');
  await mina.reads(['지워진 메시지입니다']);
  await expect(menu(mina)).toBeHidden();
});

test('whoever goes to another room, or away, has meant the deletion', async ({ newPerson, server }) => {
  const [mina, jun] = await twoTalk(newPerson);
  const elsewhere = unique('딴 방');
  await server.createRoom(elsewhere);
  for (const text of ['하나', '둘']) {
    await mina.say(text);
    await jun.sees(text);
  }
  const link = mina.page.url();
  await mina.act('하나', '지우기');
  await mina.roomInList(elsewhere).click();
  await jun.reads(['지워진 메시지입니다', '둘']);
  await mina.openRoom(link);
  await mina.act('둘', '지우기');
  await mina.page.goto('/');
  await jun.reads(['지워진 메시지입니다', '지워진 메시지입니다']);
});

test('a change that is too long is refused beside the field, and stays in it', async ({ newPerson }) => {
  const [mina] = await twoTalk(newPerson);
  await mina.say('짧은 말');
  await mina.sees('짧은 말');
  await mina.composer.press('ArrowUp');
  await mina.composer.fill('긴'.repeat(8_001));
  await mina.composer.press('Enter');
  await expect(mina.page.locator('#composer-error')).toBeVisible();
  expect((await mina.composer.inputValue()).length).toBe(8_001);
  await mina.composer.fill('알맞은 말');
  await mina.composer.press('Enter');
  await mina.reads(['알맞은 말']);
  await expect(mina.page.locator('#composer-error')).toBeHidden();
});

test('a link whose words end like its address harms nobody', async ({ newPerson }) => {
  const [mina, jun] = await twoTalk(newPerson);
  for (const text of ['[서](https://a에서)', '[다](https://a보다)', '[지](https://a까지)']) await mina.say(text);
  await mina.say('그리고 다음 말');
  await jun.sees('그리고 다음 말');
  await jun.reads(['서', '다', '지', '그리고 다음 말']);
});

test('the line of a day stands over its first message when older ones come', async ({ newPerson, newGuest, server }) => {
  const mina = await newPerson('mina');
  const { roomId } = await server.createRoom(unique('하루가 긴 방'));
  const sora = await newGuest('sora', roomId);
  for (let n = 1; n <= 120; n++) sora.talk(roomId, `${n}`);
  await sora.hears({ type: 'TALK', message: '120' });
  await mina.openRoom(`/rooms/${roomId}`);
  await mina.join();
  await expect(async () => {
    await mina.messages.first().scrollIntoViewIfNeeded();
    await expect(mina.messages).toHaveCount(120, { timeout: 500 });
  }).toPass();
  await expect(mina.timeline.locator('.day')).toHaveCount(1);
  await expect(mina.timeline.locator('.chunk').first().locator('> *').first()).toHaveClass('day');
});

test('any emoji is a reaction; a word is none, and says so', async ({ newPerson }) => {
  const [mina, jun] = await twoTalk(newPerson);
  await jun.say('떡이 왔어요');
  await mina.sees('떡이 왔어요');
  const other = async (text: string) => {
    await mina.message('떡이 왔어요').hover();
    await mina.message('떡이 왔어요').getByRole('button', { name: '더 보기' }).click();
    await menu(mina).getByLabel('다른 이모지로 공감하기').fill(text);
    await expect(menu(mina)).toBeHidden();
  };
  await other('🍡');
  for (const person of [mina, jun]) await expect(person.message('떡이 왔어요').locator('.reaction')).toHaveText(/^🍡 1/);
  await other('떡');
  await expect(mina.page.locator('#composer-error')).toHaveText('공감은 이모지 하나로, 한 메시지에 정해진 수까지 할 수 있습니다.');
  await expect(mina.message('떡이 왔어요').locator('.reaction')).toHaveCount(1);
});

test('a deletion that was undone and begun again has all its time', async ({ newPerson }) => {
  const [mina, jun] = await twoTalk(newPerson);
  await mina.say('지울까 말까');
  await jun.sees('지울까 말까');
  await mina.page.clock.install();
  await mina.page.clock.pauseAt(Date.now() + 2_000);
  await mina.act('지울까 말까', '지우기');
  await mina.page.clock.runFor(3_000);
  await mina.page.getByRole('button', { name: '되돌리기' }).click();
  await mina.act('지울까 말까', '지우기');
  await mina.page.clock.runFor(3_000);
  await jun.say('아직 있네요');
  await jun.reads(['지울까 말까', '아직 있네요']);
  await expect(mina.page.getByRole('button', { name: '되돌리기' })).toBeVisible();
  await mina.page.clock.runFor(3_000);
  await jun.reads(['지워진 메시지입니다', '아직 있네요']);
});

test('what a text answers or changes waits in its room with it', async ({ newPerson, server }) => {
  const [mina, jun] = await twoTalk(newPerson);
  const here = (await mina.page.getByRole('heading', { level: 1 }).textContent())!;
  const elsewhere = unique('딴 방');
  await server.createRoom(elsewhere);
  const thereAndBack = async () => {
    for (const name of [elsewhere, here]) {
      await mina.roomInList(name).click();
      await expect(mina.page.getByRole('heading', { level: 1 })).toHaveText(name);
    }
  };
  await jun.say('무엇을 먹을까요');
  await mina.act('무엇을 먹을까요', '답하기');
  await mina.composer.fill('국수요');
  await thereAndBack();
  await expect(mina.page.locator('.composer-about')).toContainText('무엇을 먹을까요');
  await mina.composer.press('Enter');
  await expect(mina.message('국수요').locator('.quote')).toContainText('무엇을 먹을까요');

  await mina.composer.press('ArrowUp');
  await mina.composer.fill('비빔국수요');
  await thereAndBack();
  await expect(mina.composer).toHaveValue('비빔국수요');
  await mina.composer.press('Enter');
  await jun.reads(['무엇을 먹을까요', '비빔국수요']);
});

test('a text that is too long stays where it is, with the reason', async ({ newPerson }) => {
  const [mina, jun] = await twoTalk(newPerson);
  await mina.composer.fill('긴'.repeat(8_001));
  await mina.composer.press('Enter');
  await expect(mina.page.locator('#composer-error')).toContainText('8000자');
  expect((await mina.composer.inputValue()).length).toBe(8_001);
  await mina.page.reload();
  await expect.poll(async () => (await mina.composer.inputValue()).length).toBe(8_001);
  await mina.composer.fill('긴'.repeat(8_000));
  await expect(mina.page.locator('#composer-error')).toBeHidden();
  await mina.composer.press('Enter');
  await expect(jun.messages).toHaveCount(1);
});
