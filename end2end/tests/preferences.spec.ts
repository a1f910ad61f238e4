import { expect, test, unique, type Person } from './people';

const isEnglish = async (person: Person) => {
  await expect(person.page.locator('html')).toHaveAttribute('lang', 'en');
  await expect(person.page.getByRole('heading', { level: 1, name: /The gate is open|Open the first room/ })).toBeVisible();
  await expect(person.page.getByRole('button', { name: 'Create room' })).toBeVisible();
};

test('a browser that asks for English is answered in English', async ({ newPerson }) => {
  const jane = await newPerson('jane', { locale: 'en-GB' });
  await jane.openHome();
  await isEnglish(jane);
  await jane.createRoom(unique('Spring picnic'));
  await jane.join();
  await expect(jane.page.getByPlaceholder('Write a message')).toBeVisible();
  await expect(jane.page.locator('.room-meta')).toContainText('1 person here');
});

test('a language once chosen is remembered', async ({ newPerson }) => {
  const mina = await newPerson('mina');
  await mina.openHome();
  await expect(mina.page.locator('html')).toHaveAttribute('lang', 'ko');
  await mina.page.goto('/?lang=en');
  await isEnglish(mina);
  await mina.page.goto('/');
  await isEnglish(mina);

  await mina.page.getByRole('navigation', { name: 'Language' }).getByRole('link', { name: '한국어' }).click();
  await expect(mina.page.locator('html')).toHaveAttribute('lang', 'ko');
  await mina.createRoom(unique('우리말 방'));
  await expect(mina.page.locator('html')).toHaveAttribute('lang', 'ko');
});

test('the language can be changed on every page', async ({ newPerson, server, faults }) => {
  faults.allow(/404 \(Not Found\)/);
  const mina = await newPerson('mina');
  const { roomId } = await server.createRoom(unique('두 말 하는 방'));
  for (const path of ['/', `/rooms/${roomId}`, '/rooms/nowhere', '/nothing/here']) {
    await mina.page.goto(path);
    for (const [name, lang] of [['English', 'en'], ['한국어', 'ko']]) {
      await mina.page.locator('.language').getByRole('link', { name }).click();
      await expect(mina.page.locator('html')).toHaveAttribute('lang', lang);
      await expect(mina.page).toHaveURL(path);
    }
  }
});

test('the theme button switches, and the server remembers', async ({ newPerson }) => {
  const mina = await newPerson('mina', { colorScheme: 'light' });
  await mina.openHome();
  const background = () => mina.page.evaluate(() => getComputedStyle(document.querySelector('.pane')!).backgroundColor);
  const byDay = await background();

  await mina.page.getByRole('button', { name: '어두운 화면' }).click();
  await expect(mina.page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expect.poll(background).not.toBe(byDay);
  await expect(mina.page.getByRole('button', { name: '어두운 화면' })).toBeHidden();

  await mina.page.reload();
  await expect(mina.page.locator('html')).toHaveAttribute('data-theme', 'dark');
  expect(await (await mina.page.request.get('/')).text()).toContain('data-theme="dark"');

  await mina.page.getByRole('button', { name: '밝은 화면' }).click();
  await expect(mina.page.locator('html')).toHaveAttribute('data-theme', 'light');
  await expect.poll(background).toBe(byDay);
});

test('without a choice the page follows the system', async ({ newPerson }) => {
  const mina = await newPerson('mina', { colorScheme: 'dark' });
  await mina.openHome();
  await expect(mina.page.getByRole('button', { name: '밝은 화면' })).toBeVisible();
  await expect(mina.page.locator('html')).not.toHaveAttribute('data-theme');
});

test('the theme can be chosen without JavaScript', async ({ newPerson }) => {
  const mina = await newPerson('mina', { colorScheme: 'light', javaScriptEnabled: false });
  await mina.openHome();
  await mina.page.getByRole('button', { name: '어두운 화면' }).click();
  await expect(mina.page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expect(mina.page).toHaveURL((url) => url.pathname === '/');
});
