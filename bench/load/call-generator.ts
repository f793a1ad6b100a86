/**
 * Makes calls over UDP at a fixed rate, whatever the server does with them: INVITE, its 200, ACK, BYE, its 200. Nothing is
 * sent twice, so a lost message is a failed call. Runs as a process of its own; prints one line of JSON.
 *
 *   node call-generator.ts PORT RATE SECONDS
 */
import { createSocket } from 'node:dgram'
import { startPaced } from './paced.ts'

/** What the generator prints when it is done. */
export interface CallResult {
  readonly begun: number
  /** Calls whose BYE was answered. */
  readonly completed: number
  readonly refused: number
  /** From INVITE to its 200, in microseconds. */
  readonly answerUsP50: number
  readonly answerUsP99: number
}

const settleMs = 1_000
const sdp =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n'

const [port = 0, rate = 0, seconds = 0] = process.argv.slice(2, 5).map(Number)
const run = process.pid.toString(36)
const socket = createSocket({ type: 'udp4', recvBufferSize: 8 << 20, sendBufferSize: 8 << 20 })
const startedAtNs: bigint[] = []
const answersUs: number[] = []
let local = 0
let begun = 0
let completed = 0
let refused = 0

socket.on('message', (bytes) => answer(bytes.toString('latin1')))
socket.bind(0, '127.0.0.1', () =>
  socket.connect(port, '127.0.0.1', () => {
    local = socket.address().port
    start()
  }),
)

function start(): void {
  const over = (): void => void setTimeout(finish, settleMs)
  startPaced(rate, seconds, invite, over)
}

function invite(index: number): void {
  begun++
  startedAtNs[index] = process.hrtime.bigint()
  const contact = `Contact: <sip:caller@127.0.0.1:${local}>\r\nContent-Type: application/sdp\r\n`
  socket.send(request('INVITE', index, 1, '', 'sip:callee@127.0.0.1', contact, sdp))
}

function request(
  method: string,
  index: number,
  seq: number,
  toTag: string,
  uri: string,
  extra: string,
  body = '',
): string {
  return `${method} ${uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${local};branch=z9hG4bK${run}.${index}.${method};rport\r\nMax-Forwards: 70\r\nFrom: <sip:caller@127.0.0.1>;tag=${run}${index}\r\nTo: <sip:callee@127.0.0.1>${toTag}\r\nCall-ID: ${run}-${index}@127.0.0.1\r\nCSeq: ${seq} ${method}\r\n${extra}Content-Length: ${body.length}\r\n\r\n${body}`
}

function answer(text: string): void {
  const match = text.match(/branch=z9hG4bK[^.;\s]+\.(\d+)\.(\w+)/)
  const index = Number(match?.[1])
  const status = Number(text.slice(8, 11))
  if (match === null || status < 200) return
  if (status !== 200) {
    refused++
  } else if (match[2] === 'BYE') {
    completed++
  } else if (match[2] === 'INVITE') {
    const startedAt = startedAtNs[index]
    if (startedAt === undefined) return
    // Undefined from now on, so that a repeated 200 is not taken for another call.
    delete startedAtNs[index]
    answersUs.push(Number(process.hrtime.bigint() - startedAt) / 1000)
    const toTag = text.match(/^To:[^\r]*(;tag=[^;\r]+)/im)?.[1] ?? ''
    const target = text.match(/^Contact:[^<\r]*<([^>]+)>/im)?.[1] ?? 'sip:callee@127.0.0.1'
    socket.send(request('ACK', index, 1, toTag, target, ''))
    socket.send(request('BYE', index, 2, toTag, target, ''))
  }
}

function finish(): void {
  answersUs.sort((a, b) => a - b)
  const at = (part: number): number => Math.round(answersUs[Math.floor(answersUs.length * part)] ?? 0)
  const result: CallResult = { begun, completed, refused, answerUsP50: at(0.5), answerUsP99: at(0.99) }
  console.log(JSON.stringify(result))
  socket.close()
}
