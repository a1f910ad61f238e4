import { Guest } from './guests';
import { expect, test, unique } from './people';

test('a name that somebody holds is refused beside the field, and the focus stays there', async ({ newPerson, faults }) => {
  faults.allow(/409 \(Conflict\)/);
  const [mina, jun] = [await newPerson('mina'), await newPerson('jun')];
  const link = await mina.createRoom(unique('이름을 나눌 수 없는 방'));
  await mina.join();
  await jun.openRoom(link);

  const field = jun.page.locator('#join-name');
  for (const twin of [mina.name, mina.name.replace('mina', 'ｍｉｎａ')]) {
    await field.fill(twin);
    await field.press('Enter');
    await expect(jun.page.locator('.join #join-error')).toContainText('다른 분이 쓰고 있거나');
    await expect(field).toHaveAttribute('aria-invalid', 'true');
    await expect(field).toHaveAccessibleDescription(/다른 분이 쓰고 있거나/);
    await expect(field).toBeFocused();
    await expect(field).toHaveValue(twin);
  }
  await jun.join();
  await expect(jun.page.locator('#join-error')).toHaveCount(0);
  await expect(mina.members).toHaveCount(2);
});

test('a guest cannot speak under a name that somebody holds', async ({ newPerson, server }) => {
  const mina = await newPerson('mina');
  await mina.createRoom(unique('내 이름은 내 것'));
  await mina.join();
  const sora = await Guest.connect(server);
  sora.send({ type: 'ENTER', roomId: mina.roomId, sender: mina.name });
  await sora.hears({ type: 'ERROR', code: 'name_taken' });
  await sora.leave();
  await expect(mina.members).toHaveCount(1);
});

test('whoever signs out gives the name back', async ({ newPerson }) => {
  const [mina, jun] = [await newPerson('mina'), await newPerson('jun')];
  const link = await mina.createRoom(unique('이름을 돌려주는 방'));
  await mina.join();
  await mina.signOut();
  await expect(mina.page.locator('#join-name')).toBeVisible();
  await jun.openRoom(link);
  await jun.join(mina.name);
  await jun.say('이제 제 이름입니다');
  await mina.sees('이제 제 이름입니다');
});

test('whoever signs out in one tab is signed out in the others', async ({ newPerson }) => {
  const mina = await newPerson('mina');
  const link = await mina.createRoom(unique('두 창에서 나가는 방'));
  await mina.join();
  const second = await mina.newTab();
  await second.openRoom(link);
  await expect(second.composer).toBeVisible();
  await mina.signOut();
  await expect(second.page.locator('#join-name')).toBeVisible();
  await expect(second.composer).toHaveCount(0);
});

test('a second click on the way in is not a second wish', async ({ newPerson }) => {
  const mina = await newPerson('mina');
  await mina.createRoom(unique('두 번 누른 방'));
  let asked = 0;
  await mina.page.route('**/api/sign_in', async (route) => {
    asked++;
    await route.continue();
  });
  await mina.page.locator('#join-name').fill(mina.name);
  await mina.page.locator('.join').getByRole('button').dblclick();
  await expect(mina.composer).toBeVisible();
  expect(asked).toBe(1);
});
