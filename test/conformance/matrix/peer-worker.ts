/** Runs one peer in a thread of its own, so that a peer that hangs, or prints, harms nobody. Started by run-peer.ts. */
import { parentPort, workerData } from 'node:worker_threads'
import { loadPeer, peers } from './peers.ts'
import type { Outcome } from './reading.ts'

const { name } = workerData as { name: string }
const peer = peers.find((candidate) => candidate.name === name)
if (peer === undefined || parentPort === null) throw new Error(`no such peer: ${name}`)
const port = parentPort
const { read } = peer
const library = loadPeer(peer)

function outcomeOf(bytes: Uint8Array): Outcome {
  try {
    const reading = read(library, bytes)
    if (reading === undefined) return { kind: 'refused', detail: 'no message' }
    if (reading.unreadable.length > 0)
      return { kind: 'refused', detail: `unreadable: ${reading.unreadable.join(', ')}` }
    return { kind: 'read', reading }
  } catch (thrown) {
    return { kind: 'crash', detail: String(thrown) }
  }
}

port.on('message', (bytes: Uint8Array) => port.postMessage(outcomeOf(bytes)))
port.postMessage('ready')
