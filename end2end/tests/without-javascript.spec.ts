import { burst } from './guests';
import { expect, test, unique } from './people';

const withoutJavaScript = { javaScriptEnabled: false };

test('without JavaScript one reads, makes a room, joins and posts', async ({ newPerson }) => {
  const [mina, jun] = [await newPerson('mina'), await newPerson('jun', withoutJavaScript)];
  const rooms = [unique('화면이 사는 방'), unique('종이 같은 방')];
  const link = await mina.createRoom(rooms[0]);
  await mina.join();
  await mina.say('스크립트 없이 보이나요');
  await mina.sees('스크립트 없이 보이나요');

  await jun.openHome();
  await jun.roomInList(rooms[0]).click();
  await expect(jun.page).toHaveURL(link);
  await jun.sees('스크립트 없이 보이나요');
  await expect(jun.connection, 'a page without its socket claims nothing').toHaveCount(0);

  await jun.createRoom(rooms[1]);
  await jun.join();
  await jun.say('첫마디');
  await jun.sees('첫마디');
  await expect(jun.message('첫마디')).toHaveClass(/message-own/);

  await jun.openRoom(link);
  await jun.say('네, 잘 보입니다\n두 줄도요');
  await expect(jun.texts).toHaveText(['스크립트 없이 보이나요', '네, 잘 보입니다 두 줄도요']);
  await expect(mina.texts).toHaveText(['스크립트 없이 보이나요', '네, 잘 보입니다 두 줄도요']);
  await expect(mina.messages.last().locator('.message-author')).toHaveText(jun.name);
});

test('without JavaScript a blank room name is answered beside the field', async ({ newPerson }) => {
  const jun = await newPerson('jun', withoutJavaScript);
  await jun.openHome();
  await jun.page.locator('#create-name').fill(' ');
  await jun.page.locator('.create').getByRole('button').click();

  await expect(jun.page.locator('.create #create-error')).toHaveText('방 이름은 1자에서 80자까지입니다.');
  await expect(jun.page.locator('#create-name')).toHaveAttribute('aria-invalid', 'true');
  await expect(jun.page.locator('#create-name')).toHaveAccessibleDescription(/1자에서 80자/);
  await expect(jun.page.locator('#create-name')).toHaveAccessibleName('새 방 이름');
});

test('without JavaScript a taken or blank name is answered beside the field, in the room', async ({ newPerson }) => {
  const [mina, jun] = [await newPerson('mina'), await newPerson('jun', withoutJavaScript)];
  const link = await mina.createRoom(unique('이름 있는 방'));
  await mina.join();
  await jun.openRoom(link);

  for (const [name, error] of [[mina.name, /다른 분이 쓰고 있거나/], [' ', /이름은 40자까지/]] as const) {
    await jun.fillJoin(name);
    await expect(jun.page.locator('.join #join-error')).toHaveText(error);
    await expect(jun.page.locator('#join-name')).toHaveAttribute('aria-invalid', 'true');
    await expect(jun.page.locator('#join-name')).toHaveAccessibleDescription(error);
    expect(new URL(jun.page.url()).pathname).toBe(new URL(link).pathname);
  }
  await jun.join();
  await expect(jun.page.locator('#join-error')).toHaveCount(0);
});

test('without JavaScript one pages through older messages and back', async ({ newPerson, newGuest, server }) => {
  const jun = await newPerson('jun', withoutJavaScript);
  const { roomId } = await server.createRoom(unique('긴 종이'));
  const sora = await newGuest('sora', roomId);
  const texts = burst(sora, roomId, 120);
  await sora.hears({ type: 'TALK', message: texts.at(-1) });
  const older = jun.page.getByRole('link', { name: '이전 메시지 보기' });

  await jun.openRoom(`/rooms/${roomId}`);
  await jun.reads(texts.slice(70));
  await older.click();
  await jun.reads(texts.slice(20, 70));
  await older.click();
  await jun.reads(texts.slice(0, 20));
  await expect(older).toHaveCount(0);
  await jun.page.getByRole('link', { name: '이후 메시지 보기' }).click();
  await jun.reads(texts.slice(20, 70));
  await jun.page.getByRole('link', { name: '최근 메시지로' }).click();
  await jun.reads(texts.slice(70));
});

test('without JavaScript a message may be as long as any', async ({ newPerson }) => {
  const jun = await newPerson('jun', withoutJavaScript);
  await jun.createRoom(unique('긴 글의 방'));
  await jun.join();
  const text = '가'.repeat(8_000);
  await jun.say(text);
  await jun.sees(text);
});

test('without JavaScript what is refused is put back where it was written, and said why', async ({ newPerson }) => {
  const jun = await newPerson('jun', withoutJavaScript);
  await jun.createRoom(unique('되돌아온 글의 방'));
  await jun.join();
  const text = `\n</textarea><b>a &lt; b</b>${'가'.repeat(8_000)}`;
  await jun.composer.fill(text);
  await jun.page.locator('.composer-send').click();
  await expect(jun.page.locator('#composer-error')).toContainText('8000자');
  await expect(jun.composer).toHaveValue(text);
  // Once: whoever leaves it is done with it.
  await jun.page.reload();
  await expect(jun.page.locator('#composer-error')).toContainText('8000자');
  await expect(jun.composer).toHaveValue('');
  await jun.say('짧게');
  await jun.sees('짧게');
});
