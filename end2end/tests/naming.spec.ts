import { expect, test, unique, type Person } from './people';

const offered = ({ page }: Person) => page.getByRole('option');

async function three(newPerson: (name: string) => Promise<Person>): Promise<[Person, Person, Person]> {
  const [mina, jun, julia] = [await newPerson('민아'), await newPerson('jun'), await newPerson('julia')];
  const link = await mina.createRoom(unique('부르는 방'));
  await mina.join();
  for (const person of [jun, julia]) {
    await person.openRoom(link);
    await person.join();
  }
  await expect(mina.members).toHaveCount(3);
  return [mina, jun, julia];
}

test('after an @ those who are here are offered, and named by the keyboard', async ({ newPerson }) => {
  const [mina, jun, julia] = await three(newPerson);
  await mina.composer.pressSequentially('점심 @JU');
  await expect(offered(mina)).toHaveText([new RegExp(julia.name), new RegExp(jun.name)]);
  await expect(offered(mina).first()).toHaveAttribute('aria-selected', 'true');
  await mina.composer.press('ArrowDown');
  await expect(mina.composer).toHaveAttribute('aria-activedescendant', 'mention-1');
  await mina.composer.press('Enter');
  await expect(mina.composer).toHaveValue(`점심 @${jun.name} `);
  await expect(offered(mina)).toHaveCount(0);
  await mina.composer.pressSequentially('어때요');
  await mina.composer.press('Enter');
  const said = `점심 @${jun.name} 어때요`;
  await jun.sees(said);
  await expect(jun.message(said)).toHaveClass(/message-names-me/);
  await julia.sees(said);
  await expect(julia.message(said)).not.toHaveClass(/message-names-me/);
});

test('a name is chosen by a click, or not at all', async ({ newPerson }) => {
  const [mina, jun] = await three(newPerson);
  await mina.composer.pressSequentially('@j');
  await offered(mina).filter({ hasText: jun.name }).click();
  await expect(mina.composer).toHaveValue(`@${jun.name} `);
  await expect(mina.composer).toBeFocused();
  await mina.composer.fill('');
  await mina.composer.pressSequentially('@ju');
  await mina.composer.press('Escape');
  await expect(offered(mina)).toHaveCount(0);
  await mina.composer.press('Enter');
  await mina.sees('@ju');
  // Nor while the caret is elsewhere: then Enter sends.
  await mina.composer.pressSequentially('안녕 @ju');
  await expect(offered(mina)).not.toHaveCount(0);
  await mina.composer.press('Home');
  await expect(offered(mina)).toHaveCount(0);
  await mina.composer.press('Enter');
  await mina.sees('안녕 @ju');
  // Nobody is named in an address.
  await mina.composer.pressSequentially('mail@ju');
  await expect(offered(mina)).toHaveCount(0);
});
