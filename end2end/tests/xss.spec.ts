import { Guest } from './guests';
import { expect, test, unique } from './people';

/** Ways to get a script to run, and places to put them. */
const SCRIPTS = [
  '<script>XSS</script>', '<img src=x onerror=XSS>', '<svg onload=XSS>', '<iframe srcdoc="<script>XSS</script>">', '<body onload=XSS>',
  '<a href="javascript:XSS">a</a>', '<details open ontoggle=XSS>', '<input autofocus onfocus=XSS>', '<video><source onerror=XSS></video>',
  '<math><mi xlink:href="javascript:XSS">', '<object data="javascript:XSS">', '<style>@import "javascript:XSS"</style>',
  '<form action="javascript:XSS"><button>a', '<meta http-equiv=refresh content="0;url=javascript:XSS">', '<base href="javascript:XSS//">',
  '[a](javascript:XSS)', '[a](JaVaScRiPt:XSS)', '[a](\tjavascript:XSS)', '[a](data:text/html,<script>XSS</script>)', '[a](vbscript:XSS)',
  '![a](javascript:XSS)', '![a](x"onerror="XSS)', '<javascript:XSS>', '[a]: javascript:XSS\n[a]', '[a](https://x"onmouseover="XSS)',
];
const WRAPPINGS = ['X', '"X', "'X", '">X', "'>X", '</div>X', '**X**', '`X`', '> X', '- X', '```\nX\n```', '</script>X', '<!--X-->', '<![CDATA[X]]>', '{{X}}', '&#60;X', '\\X', '\u0000X', 'X\u2028', '@X'];
const CALL = "document.title='xss',alert(1)";

test('whatever people call themselves, their rooms, and whatever they say: no script runs', async ({ newPerson, server }) => {
  test.slow();
  const payloads = SCRIPTS.flatMap((script) => WRAPPINGS.map((wrapping) => wrapping.replaceAll('X', script.replaceAll('XSS', CALL))));
  expect(payloads.length).toBeGreaterThanOrEqual(200);
  const mina = await newPerson('mina');
  let dialogs = 0;
  mina.page.on('dialog', (dialog) => {
    dialogs += 1;
    void dialog.dismiss();
  });
  const name = unique('<img src=x onerror=alert(1)>');
  const { roomId } = await server.createRoom(name);
  for (const payload of payloads.filter((payload) => !/[\u0000\u2028\n]/.test(payload)).slice(0, 100)) await server.createRoom(payload.slice(0, 80)).catch(() => {});

  const guest = await Guest.enter(server, roomId, '"><svg onload=alert(1)>');
  for (const payload of payloads) guest.talk(roomId, payload);
  await expect.poll(async () => (await server.messages(roomId)).length).toBe(200);

  // The faults of every test include CSP reports and page errors.
  await mina.page.goto(`/rooms/${roomId}`);
  await mina.isLive();
  await mina.join('<b onclick=alert(1)>민아');
  await expect(mina.messages.last()).toBeVisible();
  for (let turn = 0; turn < 12; turn++) {
    await mina.messages.first().scrollIntoViewIfNeeded();
    await expect.poll(() => mina.messages.count()).toBeGreaterThan(Math.min(50 * (turn + 1), 400));
    if ((await mina.messages.count()) >= payloads.length) break;
  }
  await mina.say('<img src=x onerror=alert(1)> [a](javascript:alert(1))');
  await expect(mina.timeline.locator('script, iframe, img, object, form, style, [onerror], [onload], a[href^="java" i], a[href^="data"]')).toHaveCount(0);
  await expect(mina.list.locator('script, img, [onerror]')).toHaveCount(0);
  await mina.page.goto('/');
  await expect(mina.page).toHaveTitle(/마당$/);
  expect(dialogs).toBe(0);
  await guest.leave();
});
