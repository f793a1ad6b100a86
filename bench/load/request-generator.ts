/**
 * Sends OPTIONS or REGISTER requests over UDP at a fixed rate, whatever the server does with them, and counts the answers.
 * With digest each registration is a request, a 401, a request with credentials and a 200, as a phone without a cached
 * nonce does it. Runs as a process of its own, so that its CPU time is nobody else's; prints one line of JSON.
 *
 *   node request-generator.ts PORT RATE SECONDS USERS options|register|digest
 */
import { createHash } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { startPaced } from './paced.ts'

/** What the generator prints when it is done. */
export interface GeneratorResult {
  /** Requests, or registrations with their two requests, begun. */
  readonly begun: number
  /** Those that ended with 200. */
  readonly answered: number
  /** Final answers other than the 200 and the 401 that was asked for. */
  readonly refused: number
  /** From the first request to the 200, in microseconds. */
  readonly latencyUsP50: number
  readonly latencyUsP99: number
}

const answerWaitMs = 1500
const domain = 'carillon.test'
const firstUser = 2001
const password = 'secret'

const [port = 0, rate = 0, seconds = 0, users = 1] = process.argv.slice(2, 6).map(Number)
const task = process.argv[6]
const withDigest = task === 'digest'
const run = process.pid.toString(36)
const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 })
const startedAtNs: bigint[] = []
const latenciesUs: number[] = []
let begun = 0
let answered = 0
let refused = 0

socket.on('message', (bytes) => answer(bytes.toString('latin1')))
socket.bind(0, '127.0.0.1', () => socket.connect(port, '127.0.0.1', start))

function start(): void {
  const over = (): void => void setTimeout(finish, answerWaitMs)
  startPaced(rate, seconds, begin, over)
}

function begin(index: number): void {
  begun++
  startedAtNs[index] = process.hrtime.bigint()
  socket.send(request(index, 1, ''))
}

function request(index: number, attempt: number, credentials: string): string {
  const user = firstUser + (index % users)
  const local = socket.address().port
  const [seq, via] = [2 * index + attempt, `127.0.0.1:${local};branch=z9hG4bK${run}.${index}.${attempt};rport`]
  if (task === 'options') {
    return `OPTIONS sip:${user}@${domain} SIP/2.0\r\nVia: SIP/2.0/UDP ${via}\r\nMax-Forwards: 70\r\nFrom: <sip:${user}@${domain}>;tag=${run}${index}\r\nTo: <sip:${user}@${domain}>\r\nCall-ID: ${run}-${index}@127.0.0.1\r\nCSeq: ${seq} OPTIONS\r\nUser-Agent: bench\r\nContent-Length: 0\r\n\r\n`
  }
  // One Call-ID for each user and a rising CSeq: refreshes, as RFC 3261 §10.2 wants them.
  return `REGISTER sip:${domain} SIP/2.0\r\nVia: SIP/2.0/UDP ${via}\r\nMax-Forwards: 70\r\nFrom: <sip:${user}@${domain}>;tag=${run}${index}\r\nTo: <sip:${user}@${domain}>\r\nCall-ID: ${run}-${user}@127.0.0.1\r\nCSeq: ${seq} REGISTER\r\nContact: <sip:${user}@127.0.0.1:${local}>\r\nExpires: 3600\r\n${credentials}User-Agent: bench\r\nContent-Length: 0\r\n\r\n`
}

function answer(text: string): void {
  const match = text.match(/branch=z9hG4bK[^.;\s]+\.(\d+)\.(\d)/)
  const index = Number(match?.[1])
  const attempt = Number(match?.[2])
  const status = Number(text.slice(8, 11))
  if (match === null || !Number.isInteger(index) || status < 200) return
  if (status === 200) {
    answered++
    const startedAt = startedAtNs[index]
    if (startedAt !== undefined) latenciesUs.push(Number(process.hrtime.bigint() - startedAt) / 1000)
  } else if (status === 401 && withDigest && attempt === 1) {
    socket.send(request(index, 2, credentials(text, firstUser + (index % users))))
  } else {
    refused++
  }
}

function credentials(text: string, user: number): string {
  const challenge = text.match(/^WWW-Authenticate:\s*Digest\s+(.*)$/im)?.[1] ?? ''
  const realm = challenge.match(/realm="([^"]*)"/)?.[1] ?? ''
  const nonce = challenge.match(/nonce="([^"]*)"/)?.[1] ?? ''
  const opaque = challenge.match(/opaque="([^"]*)"/)?.[1]
  const uri = `sip:${domain}`
  const ha1 = md5(`${user}:${realm}:${password}`)
  const ha2 = md5(`REGISTER:${uri}`)
  const response = md5(`${ha1}:${nonce}:00000001:0a4f113b:auth:${ha2}`)
  const opaquePart = opaque === undefined ? '' : `, opaque="${opaque}"`
  return `Authorization: Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${uri}", algorithm=MD5, response="${response}", qop=auth, nc=00000001, cnonce="0a4f113b"${opaquePart}\r\n`
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
}

function finish(): void {
  latenciesUs.sort((a, b) => a - b)
  const result: GeneratorResult = {
    begun,
    answered,
    refused,
    latencyUsP50: quantile(0.5),
    latencyUsP99: quantile(0.99),
  }
  console.log(JSON.stringify(result))
  socket.close()
}

function quantile(part: number): number {
  return Math.round(latenciesUs[Math.floor(latenciesUs.length * part)] ?? 0)
}
