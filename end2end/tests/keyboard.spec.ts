import type { Locator } from '@playwright/test';
import { burst } from './guests';
import { expect, test, unique, type Person } from './people';

/** Presses Tab until the focus is there, as somebody would who cannot use a mouse. */
async function tabTo(person: Person, target: Locator): Promise<void> {
  await expect(async () => {
    if (!(await isFocused(target))) await person.page.keyboard.press('Tab');
    expect(await isFocused(target)).toBe(true);
  }).toPass({ intervals: [0] });
  await expect(target).toBeInViewport();
}

const isFocused = (target: Locator) => target.evaluate((element) => element === document.activeElement);

test('the whole way from the skip link to a sent message goes by keyboard', async ({ newPerson }) => {
  const mina = await newPerson('mina');
  const keyboard = mina.page.keyboard;
  const name = unique('자판으로 연 방');
  await mina.openHome();

  await keyboard.press('Tab');
  const skip = mina.page.getByRole('link', { name: '본문으로 건너뛰기' });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await keyboard.press('Enter');
  await expect(mina.page.locator('#main')).toBeFocused();

  await tabTo(mina, mina.page.getByLabel('새 방 이름'));
  await keyboard.type(name);
  await keyboard.press('Enter');
  await expect(mina.page.getByRole('heading', { level: 1 })).toHaveText(name);
  await mina.isLive();

  await tabTo(mina, mina.page.getByLabel('이 마당에서 쓸 이름을 적어 주세요'));
  await keyboard.type(mina.name);
  await keyboard.press('Enter');
  await mina.isLive();
  await expect(mina.composer).toBeFocused();
  await keyboard.type('손은 자판 위에');
  await keyboard.press('Enter');
  await mina.sees('손은 자판 위에');
  await expect(mina.composer).toBeFocused();

  // By Tab and a button instead of Enter.
  await keyboard.type('단추로도');
  await tabTo(mina, mina.page.getByRole('button', { name: '보내기' }));
  await keyboard.press('Enter');
  await mina.sees('단추로도');

  // And round to the list of rooms.
  await tabTo(mina, mina.list.locator('.room-item-lobby'));
  await keyboard.press('Enter');
  await expect(mina.page.getByRole('heading', { level: 1 })).not.toHaveText(name);
  await mina.isLive();
});

test('everything that takes the focus shows it', async ({ newPerson }) => {
  const mina = await newPerson('mina');
  await mina.createRoom(unique('테두리 방'));
  await mina.join();
  await mina.page.locator('body').focus();
  const unmarked: string[] = [];
  for (let stop = 0; stop < 40; stop++) {
    await mina.page.keyboard.press('Tab');
    const fault = await mina.page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return undefined;
      const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(element);
      const outlined = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && outlineColor !== 'rgba(0, 0, 0, 0)';
      return outlined || getComputedStyle(element.parentElement!).boxShadow !== 'none' ? undefined : element.outerHTML.slice(0, 120);
    });
    if (fault) unmarked.push(fault);
  }
  expect(unmarked).toEqual([]);
});

for (const [where, path] of [['home', '/'], ['a page that is not there', '/nothing/here'], ['a room that is not there', '/rooms/nowhere']]) {
  test(`the skip link leads to the main part of ${where}, and nowhere else`, async ({ newPerson, faults }) => {
    faults.allow(/404 \(Not Found\)/);
    const mina = await newPerson('mina');
    await mina.page.goto(path);
    const title = await mina.page.getByRole('heading', { level: 1 }).textContent();
    await mina.page.keyboard.press('Tab');
    await mina.page.keyboard.press('Enter');
    await expect(mina.page).toHaveURL(`${path}#main`);
    await expect(mina.page.locator('#main')).toBeFocused();
    await mina.page.keyboard.press('Tab');
    await expect(mina.page.locator('#main :focus')).toHaveCount(1);
    await expect(mina.page.getByRole('heading', { level: 1 })).toHaveText(title!);
  });
}

test('F6 goes round the panes, and a question mark shows what there is to press', async ({ newPerson }) => {
  const mina = await newPerson('mina');
  const { page } = mina;
  await mina.createRoom(unique('자리를 도는 방'));
  await mina.join();
  const panes = [mina.composer, page.locator('#members'), mina.list.locator('[aria-current=page]'), mina.timeline, mina.composer];
  for (const pane of panes) {
    await expect(pane).toBeFocused();
    await page.keyboard.press('F6');
  }
  await page.keyboard.press('Shift+F6');
  await page.keyboard.press('Shift+F6');
  await expect(mina.timeline).toBeFocused();
  const help = page.getByRole('dialog', { name: '키보드로 쓰기' });
  await page.keyboard.press('?');
  await expect(help).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(help).toBeHidden();
  await mina.composer.pressSequentially('왜?');
  await expect(mina.composer).toHaveValue('왜?');
  await expect(help).toBeHidden();
});

test('Home and End lead all the way, and the focus is never lost on the way', async ({ newPerson, newGuest, server }) => {
  const mina = await newPerson('mina');
  const { roomId } = await server.createRoom(unique('긴 방'));
  const sora = await newGuest('sora', roomId);
  const texts = burst(sora, roomId, 130);
  await sora.hears({ type: 'TALK', message: texts.at(-1) });
  const [first] = (await (await fetch(`${server.url}/chat/${roomId}/messages?before=4&limit=1`)).json()).messages;
  const link = `/rooms/${roomId}`;
  await mina.openRoom(link);
  await mina.join();
  await mina.page.request.post('/api/post_message', { form: { room_id: roomId, message: '처음의 그 말', reply_to: first.id }, headers: { origin: server.url } });
  await mina.sees('처음의 그 말');
  // To a message that is not here yet, and back.
  await mina.message('처음의 그 말').locator('.quote').focus();
  await mina.page.keyboard.press('Enter');
  await expect(mina.timeline.locator(`#m-${first.seq}`)).toBeInViewport();
  await expect(mina.timeline.locator(`#m-${first.seq}`).getByRole('button', { name: '더 보기' })).toBeFocused();
  await mina.page.locator('#to-latest').focus();
  await mina.page.keyboard.press('Enter');
  await expect(mina.message('처음의 그 말')).toBeInViewport();
  await expect(mina.page.locator('#to-latest')).toBeHidden();
  await expect(mina.composer).toBeFocused();

  await mina.timeline.focus();
  await expect(async () => {
    await mina.page.keyboard.press('Home');
    await expect(mina.message(texts[0])).toBeInViewport({ timeout: 1_000 });
  }).toPass();
  await mina.reads([...texts, '처음의 그 말']);
  await mina.page.keyboard.press('End');
  await expect(mina.message('처음의 그 말')).toBeInViewport();
  await mina.page.keyboard.press('Home');
  await expect(mina.message(texts[0])).toBeInViewport();
  await mina.page.keyboard.press('PageDown');
  await expect(mina.message(texts[0])).not.toBeInViewport();
  await mina.page.keyboard.press('PageUp');
  await expect(mina.message(texts[0])).toBeInViewport();
});

test('whoever does not want single letters to do anything says so once', async ({ newPerson }) => {
  const mina = await newPerson('mina');
  const { page } = mina;
  const help = page.getByRole('dialog', { name: '키보드로 쓰기' });
  const letters = help.getByRole('checkbox', { name: /한 글자 키/ });
  await mina.createRoom(unique('글자를 치는 방'));
  await mina.join();
  await mina.say('한마디');
  await mina.sees('한마디');
  await mina.timeline.focus();
  await page.keyboard.press('?');
  const other = await mina.newTab();
  await other.openRoom(page.url());
  await page.bringToFront();
  await letters.uncheck();
  await expect(other.page.locator('#keys-letters')).not.toBeChecked();
  await page.keyboard.press('Escape');
  await page.reload();
  await mina.isLive();
  await mina.timeline.focus();
  await page.keyboard.press('?');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('r');
  await expect(mina.message('한마디').getByRole('button', { name: '더 보기' })).toBeFocused();
  await expect(help).toBeHidden();
  await expect(page.locator('.composer-about')).toBeHidden();
  await page.getByRole('button', { name: '키보드로 쓰기' }).click();
  await letters.check();
  await page.keyboard.press('Escape');
  await mina.timeline.focus();
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('r');
  await expect(mina.composer).toBeFocused();
});

test('all that one does in a room is done by keyboard alone', async ({ newPerson }) => {
  test.slow();
  const [mina, jun] = [await newPerson('mina'), await newPerson('jun')];
  const { page } = mina;
  const keyboard = page.keyboard;
  await mina.createRoom(unique('들어온 방'));
  await mina.join();
  const link = await mina.createRoom(unique('손만 쓰는 방'));
  await jun.openRoom(link);
  await jun.join();
  await jun.say('먼저 한 말');
  await mina.sees('먼저 한 말');
  /** From the composer to the last message but so many. */
  const toMessage = async (back: number) => {
    await keyboard.press('Shift+F6');
    await expect(mina.timeline).toBeFocused();
    for (let n = 0; n <= back; n++) await keyboard.press('ArrowUp');
  };
  const item = async (name: string) => {
    await keyboard.press('Enter');
    await tabTo(mina, page.getByRole('menuitem', { name }));
    await keyboard.press('Enter');
  };

  // Answer, by its letter.
  await toMessage(0);
  await keyboard.press('r');
  await expect(mina.composer).toBeFocused();
  await keyboard.type('답합니다');
  await keyboard.press('Enter');
  await expect(mina.message('답합니다').locator('.quote')).toContainText('먼저 한 말');
  // Change one's own.
  await keyboard.press('ArrowUp');
  await keyboard.press('Control+a');
  await keyboard.type('고쳐 답합니다');
  await keyboard.press('Enter');
  await jun.reads(['먼저 한 말', '고쳐 답합니다']);
  // React, by the menu.
  await toMessage(1);
  await item('👍');
  await expect(jun.message('먼저 한 말').locator('.reaction')).toHaveText(/^👍 1/);
  // Delete, think better of it, and delete.
  await mina.composer.focus();
  await toMessage(0);
  await item('지우기');
  await tabTo(mina, page.getByRole('button', { name: '되돌리기' }));
  await keyboard.press('Enter');
  await mina.reads(['먼저 한 말', '고쳐 답합니다']);
  await mina.composer.focus();
  await toMessage(0);
  await item('지우기');
  await jun.reads(['먼저 한 말', '지워진 메시지입니다']);
  // Another name for the room, and its invitation.
  const name = unique('새 이름');
  await tabTo(mina, page.getByRole('button', { name: '방 이름과 주제 고치기' }));
  await keyboard.press('Enter');
  await tabTo(mina, page.getByLabel('방 이름', { exact: true }));
  await keyboard.press('Control+a');
  await keyboard.type(name);
  await keyboard.press('Enter');
  await expect(jun.page.getByRole('heading', { level: 1 })).toHaveText(name);
  await mina.isLive();
  await tabTo(mina, page.getByRole('button', { name: '초대' }));
  await keyboard.press('Enter');
  await tabTo(mina, page.locator('#share').getByRole('button'));
  await keyboard.press('Escape');
  await expect(page.locator('#share')).toBeHidden();
  // To another room, and out.
  await keyboard.press('Control+k');
  await keyboard.type('마당');
  await keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('마당');
  await tabTo(mina, page.getByRole('button', { name: '로그아웃' }));
  await keyboard.press('Enter');
  await expect(page.locator('#join-name')).toBeVisible();
});
