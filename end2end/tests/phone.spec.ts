import { expect, test, unique, type Person } from './people';

/** Nothing sticks out sideways, neither from the page nor from what scrolls within it. */
async function fits(person: Person): Promise<void> {
  const sticksOut = () =>
    person.page.evaluate(() =>
      [document.documentElement, ...document.querySelectorAll('.pane, main, .timeline, .members')]
        .filter((element) => element.checkVisibility() && element.scrollWidth > element.clientWidth)
        .map((element) => `${element.tagName}.${element.className}: ${element.scrollWidth} > ${element.clientWidth}`),
    );
  await expect.poll(sticksOut).toEqual([]);
}

for (const width of [360, 320]) {
  test(`a phone ${width} px wide shows one pane at a time, and nothing sticks out`, async ({ newPerson, newGuest }) => {
    const mina = await newPerson('mina', { viewport: { width, height: 740 }, isMobile: true, hasTouch: true });
    const name = unique('이름이 아주 길어서 한 줄에 도저히 다 들어가지 못하는 방');
    await mina.createRoom(name);
    await fits(mina);
    await mina.join();
    const sora = await newGuest('이름도긴손님이라줄이모자랍니다', mina.roomId);
    sora.talk(mina.roomId, `https://example.com/${'아주긴주소-'.repeat(20)}`);
    sora.talk(mina.roomId, 'ㅋ'.repeat(300));
    await mina.sees('ㅋ'.repeat(300));
    await fits(mina);
    await expect(mina.list).toBeHidden();

    await mina.page.locator('.members-button').tap();
    await expect(mina.members.first()).toBeVisible();
    await fits(mina);
    await mina.page.keyboard.press('Escape');

    await mina.page.locator('.room-back').tap();
    await expect(mina.page).toHaveURL('/');
    await expect(mina.list).toBeVisible();
    await fits(mina);
    await mina.roomInList(name).tap();
    await expect(mina.page.getByRole('heading', { level: 1 })).toHaveText(name);
    await expect(mina.list).toBeHidden();
    await mina.sees('ㅋ'.repeat(300));
    await expect(mina.composer).toBeInViewport();
  });
}

test('on a phone the send button sends and Enter begins a new line', async ({ newPerson }) => {
  const mina = await newPerson('mina', { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true });
  await mina.createRoom(unique('엄지로 쓰는 방'));
  await mina.join();
  await mina.composer.pressSequentially('첫 줄');
  await mina.composer.press('Enter');
  await mina.composer.pressSequentially('둘째 줄');
  await expect(mina.composer).toHaveValue('첫 줄\n둘째 줄');
  await mina.page.getByRole('button', { name: '보내기' }).tap();
  await mina.reads(['첫 줄 둘째 줄']);
  await expect(mina.composer).toHaveValue('');
});

test('the page is as high as what is seen of it over a keyboard on the screen', async ({ newPerson }) => {
  for (const viewport of [{ width: 390, height: 844 }, { width: 844, height: 390 }]) {
    const mina = await newPerson('mina', { viewport });
    await mina.createRoom(unique('글쇠판 방'));
    await mina.join();
    await mina.page.evaluate(() => document.documentElement.style.setProperty('--seen', '300px'));
    const { y, height } = (await mina.composer.boundingBox())!;
    expect(y + height).toBeLessThanOrEqual(300);
  }
});
