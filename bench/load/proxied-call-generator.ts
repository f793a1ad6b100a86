/**
 * Makes calls through a proxy, or a back-to-back user agent, over UDP at a fixed rate, and takes them at the other end:
 * INVITE, 100, 180, 200, ACK, BYE, 200, by the routes that the server records. Nothing is sent twice, so a lost message is a
 * failed call. A user whose name begins with `ring` rings until it is cancelled. Runs as a process of its own; prints one
 * line of JSON.
 *
 *   node proxied-call-generator.ts PORT RATE SECONDS USER
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import type { CallResult } from './call-generator.ts'
import { startPaced } from './paced.ts'

const settleMs = 1_500
const sdp =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n'

const [port = 0, rate = 0, seconds = 0] = process.argv.slice(2, 5).map(Number)
const user = process.argv[5] ?? 'callee'
const run = process.pid.toString(36)
const startedAtNs: bigint[] = []
const answersUs: number[] = []
/** INVITEs that ring, by what their CANCEL has in common with them. */
const ringing = new Map<string, string>()
let begun = 0
let completed = 0
let refused = 0
let tags = 0

const caller = openSocket((text) => callerHears(text))
const callee = openSocket((text, from) => calleeHears(text, from))
const [callerPort, calleePort] = await Promise.all([bound(caller), bound(callee)])
start()

function openSocket(hear: (text: string, from: RemoteInfo) => void): Socket {
  const socket = createSocket({
    type: 'udp4',
    recvBufferSize: 8 << 20,
    sendBufferSize: 8 << 20,
    lookup: (host, _options, done) => done(null, host, 4),
  })
  socket.on('message', (bytes, from) => hear(bytes.toString('latin1'), from))
  return socket
}

function bound(socket: Socket): Promise<number> {
  return new Promise((resolve) => socket.bind(0, '127.0.0.1', () => resolve(socket.address().port)))
}

function start(): void {
  const over = (): void => void setTimeout(finish, settleMs)
  startPaced(rate, seconds, invite, over)
}

function invite(index: number): void {
  begun++
  startedAtNs[index] = process.hrtime.bigint()
  const contact = `Contact: <sip:caller@127.0.0.1:${callerPort}>\r\nContent-Type: application/sdp\r\n`
  send(request('INVITE', index, 1, '', `sip:${user}@127.0.0.1:${calleePort}`, '', contact, sdp))
}

function request(
  method: string,
  index: number,
  seq: number,
  toTag: string,
  uri: string,
  routes: string,
  extra = '',
  body = '',
): string {
  return `${method} ${uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${callerPort};branch=z9hG4bK${run}.${index}.${method}\r\n${routes}Max-Forwards: 70\r\nFrom: <sip:caller@127.0.0.1>;tag=${run}${index}\r\nTo: <sip:${user}@127.0.0.1>${toTag}\r\nCall-ID: ${run}-${index}@127.0.0.1\r\nCSeq: ${seq} ${method}\r\n${extra}Content-Length: ${body.length}\r\n\r\n${body}`
}

function send(text: string): void {
  caller.send(text, port, '127.0.0.1')
}

function callerHears(text: string): void {
  const status = Number(text.slice(8, 12))
  const match = text.match(/branch=z9hG4bK[^.;\s]+\.(\d+)\.(\w+)/)
  const index = Number(match?.[1])
  if (!text.startsWith('SIP/2.0 ')) answerBye(text)
  else if (match === null || status < 200) return
  else if (status !== 200) refused++
  else if (match[2] === 'BYE') completed++
  else if (match[2] === 'INVITE') answered(index, text)
}

function answered(index: number, text: string): void {
  const startedAt = startedAtNs[index]
  if (startedAt === undefined) return
  // Undefined from now on, so that a repeated 200 is not taken for another call.
  delete startedAtNs[index]
  answersUs.push(Number(process.hrtime.bigint() - startedAt) / 1000)
  const toTag = text.match(/^To:[^\r]*(;tag=[^;\r]+)/im)?.[1] ?? ''
  const target = text.match(/^Contact:[^<\r]*<([^>]+)>/im)?.[1] ?? ''
  const routes = lines(text, 'Record-Route')
    .flatMap((value) => value.split(/,\s*(?=<)/))
    .reverse()
    .map((value) => `Route: ${value}\r\n`)
    .join('')
  send(request('ACK', index, 1, toTag, target, routes))
  send(request('BYE', index, 2, toTag, target, routes))
}

/** A back-to-back user agent may hang up by itself when the load is over. */
function answerBye(text: string): void {
  if (text.startsWith('BYE ')) send(response(text, '200 OK', ''))
}

function calleeHears(text: string, from: RemoteInfo): void {
  const reply = (bytes: string): void => callee.send(bytes, from.port, from.address)
  const method = text.slice(0, text.indexOf(' '))
  if (method === 'BYE') reply(response(text, '200 OK', ''))
  else if (method === 'INVITE') {
    tags += 1
    const tag = `;tag=b${tags}`
    reply(response(text, '180 Ringing', tag, contact()))
    if (/^INVITE sip:ring/.test(text)) ringing.set(keyOf(text), text)
    else reply(response(text, '200 OK', tag, `${contact()}Content-Type: application/sdp\r\n`, sdp))
  } else if (method === 'CANCEL') {
    const key = keyOf(text)
    const cancelled = ringing.get(key)
    ringing.delete(key)
    reply(response(text, '200 OK', ';tag=c'))
    if (cancelled !== undefined) reply(response(cancelled, '487 Request Terminated', ';tag=c'))
  }
}

function contact(): string {
  return `Contact: <sip:callee@127.0.0.1:${calleePort}>\r\n`
}

function keyOf(text: string): string {
  return lines(text, 'Via')[0]?.match(/branch=([^;,\s]+)/)?.[1] ?? ''
}

function response(to: string, status: string, tag: string, extra = '', body = ''): string {
  const line = (name: string): string => `${name}: ${lines(to, name)[0] ?? ''}\r\n`
  const all = (name: string): string =>
    lines(to, name)
      .map((value) => `${name}: ${value}\r\n`)
      .join('')
  const toLine = `To: ${lines(to, 'To')[0] ?? ''}`
  const tagged = /;tag=/.test(toLine) ? toLine : toLine + tag
  return `SIP/2.0 ${status}\r\n${all('Via')}${all('Record-Route')}${line('From')}${tagged}\r\n${line('Call-ID')}${line('CSeq')}${extra}Content-Length: ${body.length}\r\n\r\n${body}`
}

function lines(text: string, name: string): string[] {
  const found: string[] = []
  const start = `\r\n${name}: `
  for (let at = text.indexOf(start); at >= 0; at = text.indexOf(start, at + 1))
    found.push(text.slice(at + start.length, text.indexOf('\r\n', at + 2)))
  return found
}

function finish(): void {
  answersUs.sort((a, b) => a - b)
  const at = (part: number): number => Math.round(answersUs[Math.floor(answersUs.length * part)] ?? 0)
  const result: CallResult = { begun, completed, refused, answerUsP50: at(0.5), answerUsP99: at(0.99) }
  console.log(JSON.stringify(result))
  caller.close()
  callee.close()
}
