/** The bot among the examples, started as a program: what is written to it, and what it writes. */
import {
  BindingTable,
  DigestVerifier,
  digest,
  nodeClock,
  SipStack,
  type SipStackOptions,
} from '@carillon/sip-transaction'
import { afterEach, describe, expect, it } from 'vitest'
import { Program, serve, stopPrograms, until } from '../support/example-program'

const open: SipStack[] = []

async function stackWith(options: Partial<SipStackOptions> = {}): Promise<SipStack> {
  const stack = await SipStack.create({ listen: ['udp://127.0.0.1:0'], ...options })
  open.push(stack)
  return stack
}

/** A phone that writes to the bot, and what it gets. */
async function phone(port: number, name = 'alice') {
  const stack = await stackWith()
  const got: string[] = []
  stack.method('MESSAGE', (request) => {
    got.push(request.text)
    request.reply(200)
  })
  const send = async (body: string, contentType?: string, headers: readonly [string, string][] = []) => {
    const type = contentType === undefined ? {} : { contentType }
    const uri = `sip:bot@127.0.0.1:${port}`
    const from = `<sip:${name}@127.0.0.1:${stack.listeners[0]!.port}>`
    return stack.request({ method: 'MESSAGE', uri, from, body, headers, ...type })
  }
  const ask = async (body: string) => {
    const before = got.length
    expect((await send(body)).status).toBe(200)
    await until(() => got.length > before)
    return got.at(-1)!
  }
  return { stack, got, send, ask }
}

const start = async () => {
  const { program, ports } = await serve('message-bot', '--listen', 'udp://127.0.0.1:0')
  return { program, port: ports[0]! }
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((stack) => stack.close({ graceMs: 0 })))
  await stopPrograms()
})

describe('message-bot', () => {
  it('RFC 3428 §4, §7: answers each command by a message of its own, and keeps its senders apart', async () => {
    const { program, port } = await start()
    const alice = await phone(port)
    const bob = await phone(port, 'bob')
    expect(await alice.ask('help')).toContain('echo')
    expect(await alice.ask('ECHO  Grüße aus Köln ')).toBe('Grüße aus Köln')
    expect(Date.parse(await alice.ask('time'))).toBeGreaterThan(Date.now() - 60_000)
    expect(await alice.ask('roll 2d6')).toMatch(/^[1-6] \+ [1-6] = \d+$/)
    expect(await alice.ask('roll dice')).toBe('As in: roll 2d6')
    expect(await alice.ask('recall')).toBe('You have told me nothing.')
    expect(await alice.ask('remember the milk')).toBe('I shall remember.')
    expect(await alice.ask('recall')).toBe('the milk')
    expect(await bob.ask('recall')).toBe('You have told me nothing.')
    expect(await bob.ask('constructor')).toContain('I do not know "constructor"')
    expect(await program.stop()).toBe(0)
  })

  it('refuses what is no text, too long or too much, and says why', async () => {
    const { port } = await start()
    const alice = await phone(port)
    const image = await alice.send('GIF89a', 'image/gif')
    expect([image.status, image.get('Accept')]).toEqual([415, 'text/plain'])
    expect((await alice.send('x'.repeat(1_001))).status).toBe(413)
    expect((await alice.send('<isComposing/>', 'application/im-iscomposing+xml')).status).toBe(200)
    const statuses: number[] = []
    for (let count = 0; count < 21; count += 1) statuses.push((await alice.send('  ')).status)
    expect(statuses).toEqual([...Array(20).fill(200), 503])
    expect(alice.got).toEqual([])
    expect((await (await phone(port, 'bob')).send('help')).status).toBe(200)
  })

  it('does not answer another program, so two bots do not write to each other for ever', async () => {
    const { port } = await start()
    const other = await phone(port)
    const told: string[] = []
    other.stack.use((request, next) => {
      told.push(request.message.get('Auto-Submitted') ?? '')
      return next()
    })
    expect((await other.send('help', undefined, [['Auto-Submitted', 'auto-replied']])).status).toBe(200)
    await other.ask('echo once')
    expect(other.got).toEqual(['once'])
    expect(told).toEqual(['auto-replied'])
  })

  it('registers, and is reached by way of its server; a wrong password is said', async () => {
    const bindings = new BindingTable()
    const server = await stackWith()
    const random = { bytes: (length: number) => new Uint8Array(length).fill(7), token: () => 'x', fraction: () => 0.5 }
    const verifier = new DigestVerifier({ realm: 'here', secret: random.bytes(32), random })
    const known = digest.required(verifier, () => ({ password: 'secret' }))
    server.method('REGISTER', known, (request) => {
      const result = bindings.apply(request, nodeClock.monotonicMs())
      request.reply(result.status, result)
    })
    const { port } = server.listeners[0]!
    const args = (password: string) => [
      ...['message-bot', '--listen', 'udp://127.0.0.1:0', '--aor', `sip:bot@127.0.0.1:${port}`],
      ...['--user', 'bot', '--password', password],
    ]
    const wrong = new Program(args('wrong'))
    expect(await wrong.exited).toBe(1)
    expect(wrong.output).toContain('not registered')
    await serve(...args('secret'))
    expect(bindings.size).toBe(1)
    const got: string[] = []
    server.method('MESSAGE', (request) => {
      got.push(`${request.from.uri} ${request.text}`)
      request.reply(200)
    })
    const [binding] = [...bindings.values()]
    const from = `<sip:alice@127.0.0.1:${port}>`
    const { status } = await server.request({ method: 'MESSAGE', uri: binding!.uri, from, body: 'echo hello' })
    expect(status).toBe(200)
    await until(() => got.length === 1)
    expect(got).toEqual([`sip:bot@127.0.0.1:${port} hello`])
  })
})
