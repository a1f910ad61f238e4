import type { CDPSession } from '@playwright/test';
import { expect, test, unique, type Person } from './people';

/** A Korean input method, as Chromium sees one. */
class InputMethod {
  private constructor(private readonly person: Person, private readonly cdp: CDPSession) {}

  static async of(person: Person): Promise<InputMethod> {
    return new InputMethod(person, await person.page.context().newCDPSession(person.page));
  }

  /** The syllable under construction grows with each key: ㅎ, 하, 한. */
  async compose(...steps: string[]): Promise<void> {
    for (const text of steps) {
      await this.cdp.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', windowsVirtualKeyCode: 229, key: 'Process' });
      await this.cdp.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length });
      await this.cdp.send('Input.dispatchKeyEvent', { type: 'keyUp', windowsVirtualKeyCode: 229, key: 'Process' });
    }
  }

  /** The syllable is finished. */
  async commit(text: string): Promise<void> {
    await this.cdp.send('Input.insertText', { text });
  }

  /** An Enter that never reaches the page as one. */
  async keepEnter(): Promise<void> {
    await this.cdp.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', windowsVirtualKeyCode: 229, key: 'Process', code: 'Enter' });
    await this.cdp.send('Input.dispatchKeyEvent', { type: 'keyUp', windowsVirtualKeyCode: 229, key: 'Process', code: 'Enter' });
  }

  async enter(): Promise<void> {
    await this.person.page.keyboard.press('Enter');
  }
}

/** That nothing more was sent shows when the next message is the next one. */
async function nothingMore(person: Person, said: string[]): Promise<void> {
  await person.say('끝');
  await person.sees('끝');
  await person.reads([...said, '끝']);
  expect((await person.server.messages(person.roomId)).map(({ message }) => message)).toEqual([...said, '끝']);
}

test('a Korean text composed syllable by syllable is sent whole, once', async ({ newPerson }) => {
  const mina = await newPerson('민아');
  await mina.createRoom(unique('한글 방'));
  await mina.join();
  const hangul = await InputMethod.of(mina);
  await mina.composer.focus();

  await hangul.compose('ㅎ', '하', '한');
  await hangul.commit('한');
  await hangul.compose('ㄱ', '그', '글');
  await hangul.commit('글');
  await hangul.enter();
  await mina.sees('한글');
  await expect(mina.composer).toHaveValue('');
  await nothingMore(mina, ['한글']);
});

test('an Enter that the input method keeps, to finish a syllable, is not a second one', async ({ newPerson }) => {
  const mina = await newPerson('민아');
  await mina.createRoom(unique('한글 방'));
  await mina.join();
  const hangul = await InputMethod.of(mina);
  await mina.composer.focus();

  await hangul.compose('ㅎ', '하', '한');
  await hangul.commit('한');
  await hangul.compose('ㄱ', '그', '글');
  await hangul.keepEnter();
  await hangul.commit('글');
  await expect(mina.composer).toHaveValue('한글');
  await hangul.enter();
  await mina.sees('한글');
  await nothingMore(mina, ['한글']);
});

test('Enter on an unfinished syllable sends it whole, once', async ({ newPerson }) => {
  const mina = await newPerson('민아');
  await mina.createRoom(unique('한글 방'));
  await mina.join();
  const hangul = await InputMethod.of(mina);
  await mina.composer.focus();

  await hangul.compose('ㅎ', '하', '한');
  await hangul.commit('한');
  await hangul.compose('ㄱ', '그', '글');
  await hangul.enter();
  await hangul.commit('글');
  await mina.sees('한글');
  await expect(mina.composer).toHaveValue('');
  await nothingMore(mina, ['한글']);
});

test('Shift and Enter begin a new line, Enter sends both', async ({ newPerson }) => {
  const mina = await newPerson('민아');
  await mina.createRoom(unique('두 줄 방'));
  await mina.join();

  await mina.composer.pressSequentially('첫 줄');
  await mina.composer.press('Shift+Enter');
  await mina.composer.pressSequentially('둘째 줄');
  await expect(mina.composer).toHaveValue('첫 줄\n둘째 줄');
  await mina.composer.press('Enter');
  await expect(mina.messages).toHaveCount(1);
  await expect.poll(() => mina.server.messages(mina.roomId)).toMatchObject([{ message: '첫 줄\n둘째 줄' }]);
});

test('Enter in an empty composer sends nothing', async ({ newPerson }) => {
  const mina = await newPerson('민아');
  await mina.createRoom(unique('조용한 방'));
  await mina.join();

  await mina.composer.press('Enter');
  await mina.composer.fill('  ');
  await mina.composer.press('Enter');
  await mina.composer.fill('');
  await nothingMore(mina, []);
});

test('the Enter that chooses a Japanese candidate sends nothing', async ({ newPerson }) => {
  const mina = await newPerson('민아');
  await mina.createRoom(unique('일본어 방'));
  await mina.join();
  const kana = await InputMethod.of(mina);
  await mina.composer.focus();

  await kana.compose('に', 'にほ', 'にほん', '日本');
  await kana.keepEnter();
  await kana.commit('日本');
  await expect(mina.composer).toHaveValue('日本');
  await kana.compose('ご', '語');
  await kana.keepEnter();
  await kana.commit('語');
  await expect(mina.composer).toHaveValue('日本語');
  await kana.enter();
  await mina.sees('日本語');
  await nothingMore(mina, ['日本語']);
});

test('a room changed while a syllable is being made keeps both its words apart', async ({ newPerson, server }) => {
  const mina = await newPerson('민아');
  const there = unique('옮겨 간 방');
  await server.createRoom(there);
  await mina.createRoom(unique('쓰던 방'));
  const here = mina.roomId;
  await mina.join();
  const hangul = await InputMethod.of(mina);
  await mina.composer.focus();
  await hangul.compose('ㅎ', '하', '한');
  await mina.roomInList(there).click();
  await expect(mina.page.getByRole('heading', { level: 1 })).toHaveText(there);
  await expect(mina.composer).not.toHaveValue('한');
  await mina.say('새 방의 말');
  await mina.sees('새 방의 말');
  expect(await server.messages(here)).toEqual([]);
});

test('Enter on the unfinished syllable of a name chooses the name, and sends nothing', async ({ newPerson }) => {
  const [mina, jun] = [await newPerson('민아'), await newPerson('준')];
  const link = await mina.createRoom(unique('부르는 방'));
  await mina.join();
  await jun.openRoom(link);
  await jun.join();
  await expect(mina.members).toHaveCount(2);
  const hangul = await InputMethod.of(mina);
  await mina.composer.pressSequentially('@');
  await hangul.compose('ㅈ', '주', '준');
  await expect(mina.page.getByRole('option')).toHaveText([new RegExp(jun.name)]);
  await hangul.enter();
  await hangul.commit('준');
  await expect(mina.composer).toHaveValue(`@${jun.name} `);
  await mina.composer.press('Enter');
  const said = `@${jun.name} `;
  await mina.sees(said.trim());
  await nothingMore(mina, [said]);
});
