/**
 * Sends RTP over many streams at a rate, and reports loss and added latency.
 *
 *   node blaster.ts RATE SECONDS SOURCE:RELAY:SINK …
 *
 * The first eight bytes of each payload are the time of sending, which a sink reads where the relay does not encrypt.
 */
import { createSocket, type Socket } from 'node:dgram'
import { payloadBytes } from './streams.ts'

const [rate = 0, seconds = 0] = process.argv.slice(2, 4).map(Number)
const lookup = (
  host: string,
  _options: unknown,
  callback: (error: Error | null, address: string, family: number) => void,
): void => callback(null, host, 4)
const headerBytes = 12
const drainMs = 300
const latencyMaxUs = 1_000_000

const open = async (port: number): Promise<Socket> => {
  const socket = createSocket({ type: 'udp4', lookup, recvBufferSize: 4 << 20 })
  await new Promise<void>((done) => socket.bind({ port, address: '127.0.0.1', exclusive: true }, done))
  return socket
}
const connect = (socket: Socket, port: number): Promise<void> =>
  new Promise((done) => socket.connect(port, '127.0.0.1', done))

let got = 0
const latencies = new Uint32Array(latencyMaxUs)
const startedNs = process.hrtime.bigint()
const nowUs = (): number => Number(process.hrtime.bigint() - startedNs) / 1000

const streams: { readonly sender: Socket; readonly packet: Buffer; sequence: number }[] = []
const sockets: Socket[] = []
for (const text of process.argv.slice(4)) {
  const [source = 0, relay = 0, sink = 0] = text.split(':').map(Number)
  const sender = await open(source)
  await connect(sender, relay)
  const receiver = await open(sink)
  receiver.on('message', (packet) => {
    got += 1
    const latency = Math.max(0, Math.round(nowUs() - packet.readDoubleBE(headerBytes)))
    if (latency < latencyMaxUs) latencies[latency] = (latencies[latency] ?? 0) + 1
  })
  sender.on('error', () => undefined)
  const packet = Buffer.alloc(headerBytes + payloadBytes, 0x55)
  packet[0] = 0x80
  packet[1] = 0
  packet.writeUInt32BE(0x1000 + streams.length, 8)
  streams.push({ sender, packet, sequence: 0 })
  sockets.push(sender, receiver)
}

const beganUs = nowUs()
const endUs = beganUs + seconds * 1e6
let sent = 0
const pass = (): void => {
  const us = nowUs()
  const due = Math.floor((Math.min(us, endUs) - beganUs) * (rate / 1e6))
  for (let burst = 0; sent < due && burst < 64; burst++, sent++) {
    const stream = streams[sent % streams.length]
    if (stream === undefined) break
    const { packet } = stream
    packet.writeUInt16BE(stream.sequence & 0xffff, 2)
    packet.writeUInt32BE((stream.sequence * payloadBytes) >>> 0, 4)
    packet.writeDoubleBE(nowUs(), headerBytes)
    stream.sequence += 1
    stream.sender.send(packet)
  }
  if (us >= endUs + drainMs * 1000) finish()
  else setImmediate(pass)
}
const quantile = (part: number): number => {
  let below = 0
  for (const [latency, count] of latencies.entries()) {
    below += count
    if (below >= got * part) return latency
  }
  return latencyMaxUs
}
const finish = (): void => {
  for (const socket of sockets) socket.close()
  console.log(JSON.stringify({ begun: sent, done: got, latencyUsP50: quantile(0.5), latencyUsP99: quantile(0.99) }))
}
pass()
