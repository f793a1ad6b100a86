/** A bot that one writes to: it answers each MESSAGE (RFC 3428) with one of its own, and knows who asked what before. */
import type { IncomingRequest } from '@carillon/sip-transaction'
import { describe, fail, readOptions, serve, startStack } from './support/program.ts'

const usage = 'message-bot [--listen udp://127.0.0.1:5060] … [--aor sip:bot@HOST --user U --password P]'
const options = readOptions(usage, {
  listen: { type: 'string', multiple: true, default: ['udp://127.0.0.1:5060'] },
  /** Registers under that address, so that it is reached like a phone. */
  aor: { type: 'string' },
  user: { type: 'string' },
  password: { type: 'string' },
})

/** Somebody who writes to the bot. */
interface Sender {
  remembered: string | undefined
  /** Messages that he may still send in this minute. */
  left: number
  minute: number
}

const textBytesMax = 1_000
const perMinuteMax = 20
const sendersMax = 10_000
const senders = new Map<string, Sender>()

const commands: Record<string, (rest: string, sender: Sender) => string> = {
  help: () => 'echo TEXT, time, roll 2d6, remember TEXT, recall',
  echo: (rest) => rest,
  time: () => new Date().toISOString(),
  roll,
  remember: (rest, sender) => {
    sender.remembered = rest
    return 'I shall remember.'
  },
  recall: (_rest, { remembered }) => remembered ?? 'You have told me nothing.',
}

function roll(rest: string): string {
  const [, count, sides] = (/^(\d{1,2})d(\d{1,3})$/.exec(rest) ?? []).map(Number)
  if (!count || !sides) return 'As in: roll 2d6'
  const dice = Array.from({ length: count }, () => 1 + Math.floor(Math.random() * sides))
  return `${dice.join(' + ')} = ${dice.reduce((sum, one) => sum + one, 0)}`
}

function answerTo(text: string, sender: Sender): string {
  const [, word = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(text.trim()) ?? []
  const name = word.toLowerCase()
  return Object.hasOwn(commands, name) ? commands[name]!(rest, sender) : `I do not know "${word}". Write help.`
}

/** Whoever has not written for longest is forgotten when there are too many. */
function senderOf(name: string): Sender {
  const minute = Math.floor(Date.now() / 60_000)
  const sender = senders.get(name) ?? { remembered: undefined, left: perMinuteMax, minute }
  if (sender.minute !== minute) Object.assign(sender, { minute, left: perMinuteMax })
  senders.delete(name)
  senders.set(name, sender)
  const oldest = senders.size > sendersMax ? senders.keys().next().value : undefined
  if (oldest !== undefined) senders.delete(oldest)
  return sender
}

const stack = await startStack({ listen: options.listen })

stack.method('MESSAGE', async (request) => {
  const type = request.message.contentType?.essence ?? 'text/plain'
  // That somebody is writing needs no answer (RFC 3994).
  if (type === 'application/im-iscomposing+xml') return request.reply(200)
  if (type !== 'text/plain') return request.reply(415, { headers: [['Accept', 'text/plain']] })
  if (request.body.length > textBytesMax) return request.reply(413)
  const sender = senderOf(`${request.from.uri}`)
  if (sender.left === 0) return request.reply(503, { headers: [['Retry-After', 60]] })
  sender.left -= 1
  request.reply(200)
  const { text } = request
  // Two bots would write to each other for ever: what was written by a program is read, and not answered.
  const isAutomatic = (request.message.get('Auto-Submitted') ?? 'no').toLowerCase() !== 'no'
  if (isAutomatic || text.trim() === '') return
  await write(request, answerTo(text, sender))
})

/** By way of the server that the message came from when the bot has registered, else to where it came from. */
async function write(request: IncomingRequest, body: string): Promise<void> {
  const { flowId } = request.source
  const way = options.aor === undefined ? { destination: { flowId } } : {}
  const headers = [['Auto-Submitted', 'auto-replied'] as const]
  const from = options.aor ?? request.to.uri
  try {
    const message = { uri: request.from.uri, from: `<${from}>`, headers, body }
    const { status } = await stack.request({ method: 'MESSAGE', ...message, ...way })
    if (status >= 300) console.error(`${request.from.uri} does not take the answer: ${status}`)
  } catch (error) {
    console.error(`${request.from.uri} cannot be reached: ${describe(error)}`)
  }
}

if (options.aor !== undefined) {
  const { user: username, password } = options
  const registration = stack.register({
    aor: options.aor,
    ...(username === undefined || password === undefined ? {} : { credentials: { username, password } }),
  })
  await registration.ready.catch((error: unknown) => fail(`not registered: ${describe(error)}`, 1))
}
serve(stack)
