import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import type { Locator } from '@playwright/test';
import { expect, test, unique, type Person } from './people';

const STANDARD = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const THEMES = ['light', 'dark'] as const;
const WIDTHS = [360, 820, 1440];

async function violations({ page }: Person): Promise<string[]> {
  // Colours on their way from one theme to the other belong to neither.
  await expect.poll(() => page.evaluate(() => document.getAnimations().length)).toBe(0);
  const { violations } = await new AxeBuilder({ page }).withTags(STANDARD).analyze();
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`));
}

/**
 * axe finds nothing, by day and by night, on a phone, a tablet and a desk; and a picture of each, to be looked at, is left
 * in test-results/screens. What it shows is `shown`, whole, at each width, also when the window became smaller under it.
 */
async function isAccessible(person: Person, screen: string, shown?: Locator): Promise<void> {
  const pictures = join(test.info().project.outputDir, 'screens');
  for (const colorScheme of THEMES) {
    for (const width of WIDTHS) {
      await test.step(`${colorScheme}, ${width} px`, async () => {
        await person.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await person.page.setViewportSize({ width, height: 800 });
        if (shown) await expect(shown).toBeInViewport({ ratio: 1 });
        expect.soft(await violations(person), `${colorScheme}, ${width} px`).toEqual([]);
        await person.page.screenshot({ path: join(pictures, `${screen}-${width}-${colorScheme}.png`) });
      });
    }
  }
}

test('home is accessible', async ({ newPerson, server }) => {
  const mina = await newPerson('mina');
  await server.createRoom(unique('목록에 보일 방'));
  await mina.openHome();
  await isAccessible(mina, 'home');
});

test('home with nothing but the lobby is accessible', async ({ newPerson, ownServer }) => {
  const mina = await newPerson('mina', { server: ownServer });
  await mina.openHome();
  await isAccessible(mina, 'home-empty');
});

test('home with an error is accessible', async ({ newPerson, faults }) => {
  faults.allow(/400 \(Bad Request\)/);
  const mina = await newPerson('mina');
  await mina.openHome();
  await mina.page.locator('#create-name').fill(' ');
  await mina.page.locator('#create-name').press('Enter');
  await isAccessible(mina, 'home-error', mina.page.locator('#create-error'));
});

test('an empty room is accessible', async ({ newPerson }) => {
  const mina = await newPerson('mina');
  await mina.createRoom(unique('빈 방'));
  await mina.join();
  await expect(mina.timeline).toContainText('아직 아무 말도 없습니다');
  await isAccessible(mina, 'room-empty');
});

test('a room is accessible before joining, with an error, and after joining', async ({ newPerson, newGuest, faults }) => {
  faults.allow(/409 \(Conflict\)/);
  test.slow();
  const [mina, jun] = [await newPerson('mina'), await newPerson('jun')];
  const link = await mina.createRoom(unique('이야기하는 방'));
  await mina.join();
  await mina.say('안녕하세요');
  const sora = await newGuest('sora', mina.roomId);
  sora.talk(mina.roomId, '손님도 한마디, https://example.com 도 보세요');
  await expect(mina.texts.last()).toHaveText('손님도 한마디, https://example.com 도 보세요');

  await jun.openRoom(link);
  await jun.sees('안녕하세요');
  await isAccessible(jun, 'room-visitor');
  await jun.fillJoin(mina.name);
  await expect(jun.page.locator('#join-error')).toBeVisible();
  await isAccessible(jun, 'join-error');
  await jun.join();
  await jun.say('저도 왔어요');
  await jun.sees('저도 왔어요');
  await isAccessible(jun, 'room');
});

test('a room with everything in it is accessible, and so is all that opens there', async ({ newPerson, newGuest }) => {
  test.setTimeout(240_000);
  const mina = await newPerson('mina');
  await mina.createRoom(unique('다 있는 방'));
  await mina.join();
  const sora = await newGuest('sora', mina.roomId);
  sora.talk(mina.roomId, '**굵게** `코드` https://example.com\n- 하나\n> 인용');
  await mina.say('```\n코드\n```');
  await mina.say('지울 말');
  await mina.say('고칠 말');
  await mina.composer.press('ArrowUp');
  await mina.composer.fill('고친 말');
  await mina.composer.press('Enter');
  await mina.sees('고친 말');
  const open = async (text: string) => {
    await mina.message(text).hover();
    await mina.message(text).locator('[data-do=menu]').click();
  };
  await open('지울 말');
  await mina.page.getByRole('menuitem', { name: '지우기' }).click();
  await open('고친 말');
  await mina.page.getByRole('menuitem', { name: '🎉' }).click();
  await open('고친 말');
  await mina.page.getByRole('menuitem', { name: '여기부터 안 읽음' }).click();
  await open('고친 말');
  await mina.page.getByRole('menuitem', { name: '답하기' }).click();
  await expect(mina.timeline.locator('.unread-line')).toBeVisible();
  await isAccessible(mina, 'room-full');

  await open('고친 말');
  await isAccessible(mina, 'menu', mina.page.locator('#message-menu'));
  await mina.page.keyboard.press('Escape');
  await mina.page.keyboard.press('Control+k');
  await isAccessible(mina, 'switcher', mina.page.locator('#switcher'));
  await mina.page.keyboard.press('Escape');
  await mina.page.getByRole('button', { name: '초대' }).click();
  await isAccessible(mina, 'invitation', mina.page.locator('#share'));
});

test('the name and topic of a room, and the form for them, are accessible', async ({ newPerson }) => {
  test.slow();
  const mina = await newPerson('mina');
  await mina.createRoom(unique('주제 있는 방'));
  await mina.join();
  await mina.page.getByRole('button', { name: '방 이름과 주제 고치기' }).click();
  const [form, topic] = [mina.page.locator('#room-settings'), mina.page.locator('#topic')];
  await isAccessible(mina, 'settings', form);
  const words = '토요일 소풍 준비: 김밥 쉰 줄, 돗자리 셋, 그리고 비가 오면 어디로 갈지까지';
  await form.getByLabel('주제').fill(words);
  await form.getByRole('button', { name: '저장' }).click();
  await mina.page.getByRole('button', { name: words }).click();
  await expect(topic).toHaveText(words);
  await isAccessible(mina, 'topic', topic);
});

test('names on offer, and what there is to press, are accessible', async ({ newPerson, newGuest }) => {
  test.slow();
  const mina = await newPerson('mina');
  await mina.createRoom(unique('부르는 방'));
  await mina.join();
  for (const name of ['sora', 'jun']) await newGuest(name, mina.roomId);
  await expect(mina.members).toHaveCount(3);
  await mina.composer.pressSequentially('@');
  await expect(mina.page.getByRole('option')).toHaveCount(2);
  await isAccessible(mina, 'names');
  await mina.composer.press('Escape');
  await mina.timeline.focus();
  await mina.page.keyboard.press('?');
  await isAccessible(mina, 'keys', mina.page.locator('#keys'));
});

test('a room is accessible while nothing goes through', async ({ newPerson }) => {
  test.slow();
  const mina = await newPerson('mina');
  await mina.createRoom(unique('막힌 방'));
  await mina.join();
  await mina.say('나간 말');
  await mina.sees('나간 말');
  await mina.page.routeWebSocket('**/ws/chat', (page) => page.close());
  await mina.page.reload();
  await expect(mina.connection).toBeVisible();
  await mina.say('나가지 못하는 말');
  await expect(mina.page.getByRole('status')).toContainText('연결이 끊겼습니다');
  await expect(mina.page.locator('.message-deeds').getByRole('button', { name: '지우기' })).toBeVisible({ timeout: 20_000 });
  await isAccessible(mina, 'disconnected');
});

test('a message that was refused is accessible', async ({ newPerson }) => {
  test.slow();
  const mina = await newPerson('mina');
  await mina.createRoom(unique('거절하는 방'));
  await mina.join();
  await mina.refuses(() => true);
  await mina.say('나가지 못한 말');
  await expect(mina.message('나가지 못한 말')).toHaveClass(/message-failed/);
  await isAccessible(mina, 'refused', mina.message('나가지 못한 말'));
});

test('a page that has stopped is accessible', async ({ newPerson }) => {
  const mina = await newPerson('mina');
  await mina.createRoom(unique('멈춘 방'));
  await mina.join();
  await mina.page.locator('#crashed').evaluate((bar: HTMLElement) => (bar.hidden = false));
  await isAccessible(mina, 'crashed', mina.page.getByRole('link', { name: '새로고침' }));
});

test('the page without a server is accessible', async ({ newPerson, ownServer }) => {
  const mina = await newPerson('mina', { server: ownServer });
  await mina.openHome();
  await mina.page.evaluate(() => navigator.serviceWorker.ready);
  await ownServer.kill();
  await mina.page.reload();
  await expect(mina.page.getByRole('heading', { name: '마당에 연결할 수 없습니다' })).toBeVisible();
  await isAccessible(mina, 'offline');
});

test('the members of a phone are accessible', async ({ newPerson }) => {
  const mina = await newPerson('mina', { viewport: { width: 360, height: 800 } });
  await mina.createRoom(unique('작은 방'));
  await mina.join();
  await mina.page.locator('.members-button').click();
  await expect(mina.members.first()).toBeVisible();
  expect(await violations(mina)).toEqual([]);
});

for (const [what, path] of [['room', '/rooms/0190a5e4-0000-7000-8000-000000000000'], ['page', '/nothing/here']]) {
  test(`a ${what} that is not there is accessible`, async ({ newPerson, faults }) => {
    faults.allow(/404 \(Not Found\)/);
    const mina = await newPerson('mina');
    await mina.page.goto(path);
    await expect(mina.page.locator('main.lost')).toBeVisible();
    await isAccessible(mina, `lost-${what}`);
  });
}
