/**
 * Answers calls, waits for a digit, and connects the caller with whoever has that digit. When nobody is there the caller is
 * back, and may choose again. Digits come by INFO; what receives the media hands others in with `call.hearDtmf`. A real
 * attendant plays its announcements where this one prints.
 */
import type { Call } from '@carillon/sip-transaction'
import { fail, readNumber, readOptions, serve, startStack } from './support/program.ts'
import { answer, offer } from './support/session.ts'

const options = readOptions(
  'auto-attendant --choice 1=sip:sales@HOST --choice 2=sip:help@HOST … [--listen …] [--wait 20]',
  {
    listen: { type: 'string', multiple: true, default: ['udp://127.0.0.1:5060', 'tcp://127.0.0.1:5060'] },
    choice: { type: 'string', multiple: true, default: [] },
    /** Seconds to wait for a digit. */
    wait: { type: 'string', default: '20' },
    /** Seconds to let a choice ring. */
    ring: { type: 'string', default: '20' },
  },
)
const waitMs = readNumber('wait', options.wait) * 1_000
const ringTimeoutMs = readNumber('ring', options.ring) * 1_000
const choices = new Map(
  options.choice.map((text): [string, string] => {
    const [, digit, uri] = /^([0-9*#A-D])=(\S+)$/i.exec(text) ?? []
    return digit === undefined || uri === undefined ? fail(`--choice is DIGIT=URI, not ${text}`, 2) : [digit, uri]
  }),
)

const stack = await startStack({ listen: options.listen, callMethods: ['INFO'] })
const ownAddress = stack.listeners[0]!.uri.host

stack.method('INVITE', async (request) => {
  const sdp = request.body.length === 0 ? offer(ownAddress) : answer(request.body, ownAddress)
  if (sdp === undefined) return request.reply(488)
  const call = await request.accept({ sdp })
  call.onRequest((inside) => {
    const changed = inside.body.length === 0 ? offer(ownAddress) : answer(inside.body, ownAddress)
    if (changed === undefined) inside.reply(488)
    else inside.reply(200, { body: changed })
  })
  await attend(call)
})

serve(stack)

async function attend(call: Call): Promise<void> {
  const caller = call.remote.uri.toString()
  console.log(`${caller}: please choose ${[...choices.keys()].join(', ')}`)
  while (call.state === 'active') {
    const digit = await nextDigit(call)
    if (digit === undefined) break
    const target = choices.get(digit)
    if (target === undefined) {
      console.log(`${caller}: ${digit} is no choice`)
      continue
    }
    console.log(`${caller}: ${digit}, calling ${target}`)
    const bridge = await stack.connect(call, target, { ringTimeoutMs, from: call.remote.withParam('tag', undefined) })
    const { disposition } = await bridge.ended
    console.log(`${caller}: ${disposition}`)
    // Whoever has talked to somebody is done; the others are back, and so is their call.
    if (disposition === 'ANSWERED') return
  }
  if (call.state === 'active') console.log(`${caller}: no choice, goodbye`)
  await call.bye()
}

/** The next digit; undefined when none comes, or the caller hangs up. */
function nextDigit(call: Call): Promise<string | undefined> {
  return new Promise((resolve) => {
    const done = (digit: string | undefined) => {
      clearTimeout(late)
      stop()
      resolve(digit)
    }
    const late = setTimeout(() => done(undefined), waitMs)
    const stop = call.on('dtmf', ({ digit }) => done(digit))
    void call.ended.then(() => done(undefined))
  })
}
