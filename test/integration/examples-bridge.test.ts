/** The examples that bridge and dial, started as programs: calls, transfers, digits and recordings go through them. */
import { type Call, CallFailedError, type IncomingRequest, SipStack } from '@carillon/sip-transaction'
import { afterEach, describe, expect, it } from 'vitest'
import { Program, serve, stopPrograms, until } from '../support/example-program'

const open: SipStack[] = []
const sdp = (port: number, version = 1) =>
  `v=0\r\no=- 1 ${version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0\r\n`
const portOf = (body: Uint8Array | undefined) => Number(/m=audio (\d+)/.exec(Buffer.from(body ?? []).toString())?.[1])

async function start(...args: string[]): Promise<{ readonly program: Program; readonly port: number }> {
  const { program, ports } = await serve(...args)
  return { program, port: ports[0]! }
}

interface Phone {
  readonly name: string
  readonly stack: SipStack
  readonly port: number
  readonly media: number
  /** Calls that it has answered. */
  readonly calls: Call[]
  readonly invites: IncomingRequest[]
}

let phones = 0

/** A phone that answers at once, or with that status, and agrees to every change. */
async function phone(name: string, answers = 200): Promise<Phone> {
  phones += 1
  const media = 4_000 + 10 * phones
  const stack = await SipStack.create({ listen: ['udp://127.0.0.1:0'], callMethods: ['REFER', 'INFO'] })
  open.push(stack)
  const made: Phone = { name, stack, port: stack.listeners[0]!.port, media, calls: [], invites: [] }
  stack.method('INVITE', async (request) => {
    made.invites.push(request)
    request.reply(180)
    if (answers !== 200) request.reply(answers)
    else made.calls.push(agreeing(await request.accept({ sdp: sdp(media) }), media))
  })
  return made
}

function agreeing(call: Call, media: number): Call {
  let version = 1
  call.onRequest((request) => {
    version += 1
    request.reply(200, { body: sdp(media, version) })
  })
  return call
}

async function register(who: Phone, port: number): Promise<void> {
  const answer = await who.stack.request({
    method: 'REGISTER',
    uri: `sip:127.0.0.1:${port}`,
    from: `<sip:${who.name}@127.0.0.1>`,
    to: `<sip:${who.name}@127.0.0.1>`,
    contact: `<sip:${who.name}@127.0.0.1:${who.port}>`,
  })
  expect(answer.status).toBe(200)
}

async function dial(who: Phone, user: string, port: number): Promise<Call> {
  const options = { sdp: sdp(who.media), from: `<sip:${who.name}@127.0.0.1>` }
  return agreeing(await who.stack.invite(`sip:${user}@127.0.0.1:${port}`, options), who.media)
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((stack) => stack.close({ graceMs: 0 })))
  await stopPrograms()
})

describe('b2bua', () => {
  it('connects registered phones, transfers them blind and attended, and writes a record of each call', async () => {
    const { program, port } = await start('b2bua', '--listen', 'udp://127.0.0.1:0')
    const [alice, bob, carol] = [await phone('alice'), await phone('bob'), await phone('carol')]
    for (const each of [alice, bob, carol]) await register(each, port)
    const first = await dial(alice, 'bob', port)
    expect(bob.invites[0]!.message.toString()).not.toContain(`:${alice.port}`)
    expect(await first.transfer(`sip:carol@127.0.0.1:${port}`)).toEqual({ result: 'accepted', status: 200 })
    await until(() => first.state === 'ended' && portOf(bob.calls[0]?.remoteSdp) === carol.media)
    expect(portOf(carol.calls[0]!.remoteSdp)).toBe(bob.media)
    await carol.calls[0]!.bye()
    await until(() => bob.calls[0]!.state === 'ended')

    const [toBob, toCarol] = [await dial(alice, 'bob', port), await dial(alice, 'carol', port)]
    expect(await toBob.transferTo(toCarol)).toEqual({ result: 'accepted', status: 200 })
    await until(() => toBob.state === 'ended' && toCarol.state === 'ended')
    await until(() => portOf(bob.calls[1]?.remoteSdp) === carol.media)
    await bob.calls[1]!.bye()
    await until(() => carol.calls[1]!.state === 'ended')
    await until(() => program.output.match(/"disposition":"ANSWERED"/g)?.length === 3)
    await expect(dial(alice, 'nobody', port)).rejects.toMatchObject({ status: 404 })
  })
})

describe('click-to-dial', () => {
  it.each(['I', 'IV'])('connects two phones by flow %s and ends with them', async (flow) => {
    const [alice, bob] = [await phone('alice'), await phone('bob')]
    const uri = (who: Phone) => `sip:${who.name}@127.0.0.1:${who.port}`
    const program = new Program([
      'click-to-dial',
      ...['--first', uri(alice), '--second', uri(bob), '--flow', flow, '--listen', 'udp://127.0.0.1:0'],
    ])
    await program.prints(/^connected$/m)
    await until(
      () => portOf(alice.calls[0]?.remoteSdp) === bob.media && portOf(bob.calls[0]?.remoteSdp) === alice.media,
    )
    await bob.calls[0]!.bye()
    expect(await program.exited).toBe(0)
    expect(alice.calls[0]!.state).toBe('ended')
    expect(program.output).toMatch(/ANSWERED 200, ended by b/)
  })

  it('says that the second one is busy, and lets the first one go', async () => {
    const [alice, bob] = [await phone('alice'), await phone('bob', 486)]
    const uri = (who: Phone) => `sip:${who.name}@127.0.0.1:${who.port}`
    const program = new Program(['click-to-dial', '--first', uri(alice), '--second', uri(bob)])
    expect(await program.exited).toBe(1)
    expect(program.output).toMatch(/BUSY 486/)
    await until(() => alice.calls[0]!.state === 'ended')
  })
})

describe('auto-attendant', () => {
  it('connects whoever chooses, and has whoever chose in vain back', async () => {
    const [alice, sales, help] = [await phone('alice'), await phone('sales'), await phone('help', 486)]
    const choice = (digit: string, who: Phone) => ['--choice', `${digit}=sip:${who.name}@127.0.0.1:${who.port}`]
    const { program, port } = await start(
      'auto-attendant',
      ...['--listen', 'udp://127.0.0.1:0', ...choice('1', sales), ...choice('2', help)],
    )
    const call = await dial(alice, 'desk', port)
    await program.prints(/please choose 1, 2/)
    await call.sendDtmf('7')
    await program.prints(/7 is no choice/)
    await call.sendDtmf('2')
    await program.prints(/BUSY/)
    expect(call.state).toBe('active')
    await call.sendDtmf('1')
    await until(() => portOf(sales.calls[0]?.remoteSdp) === alice.media && portOf(call.remoteSdp) === sales.media)
    await call.bye()
    await until(() => sales.calls[0]!.state === 'ended')
    await program.prints(/ANSWERED/)
  })
})

describe('call-recorder-trigger', () => {
  it('has a call recorded from its answer to its end, holds with it, and ends one that cannot be', async () => {
    const [alice, bob, recorder] = [await phone('alice'), await phone('bob'), await phone('recorder')]
    const line = (who: Phone) => `sip:127.0.0.1:${who.port}`
    const { program, port } = await start(
      'call-recorder-trigger',
      ...['--listen', 'udp://127.0.0.1:0', '--next-hop', line(bob), '--recorder', line(recorder)],
    )
    const call = await dial(alice, 'bob', port)
    await program.prints(/recording/)
    expect(recorder.invites[0]!.message.getAll('X-Recorded-Call')).toEqual([call.callId, bob.calls[0]!.callId])
    await call.holdPeer()
    await until(() => recorder.calls[0]!.hold.remote)
    await call.resumePeer()
    await until(() => !recorder.calls[0]!.hold.remote)
    await call.bye()
    await until(() => recorder.calls[0]!.state === 'ended' && bob.calls[0]!.state === 'ended')

    const busy = await phone('recorder', 486)
    const strict = await start(
      'call-recorder-trigger',
      ...['--listen', 'udp://127.0.0.1:0', '--next-hop', line(bob), '--recorder', line(busy), '--mandatory'],
    )
    const other = await dial(alice, 'bob', strict.port).catch((error: unknown) => error)
    if (!(other instanceof CallFailedError)) await (other as Call).ended
    await until(() => bob.calls.every(({ state }) => state === 'ended'))
  })
})
