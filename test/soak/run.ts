/**
 * Works the stack for as long as one likes and tells whether anything grows: bytes, handles, tables.
 *
 *   npm run soak -- [memory|sockets] [--seconds N] [--seed S]
 *
 * On `sockets`, the default, the seconds are real and the timers those of RFC 3261; in `memory` they pass on a clock of
 * the run's own. Ends with 1 when something grows.
 */
import { parseArgs } from 'node:util'
import type { Medium } from './medium.ts'
import { MemoryMedium } from './memory-medium.ts'
import { bytesPerOperation, faultsOf } from './slope.ts'
import { SoakWorld } from './soak-world.ts'
import { SocketMedium } from './socket-medium.ts'

const hour = 3_600
/** Each round ends with a wait for what is left, so there are not too many. */
const roundsWanted = 20
const pauseMs = 25
const secondsPerRoundMin = 2
const t1Ms = 500

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { seconds: { type: 'string', default: String(hour) }, seed: { type: 'string', default: '1' } },
  })
  const [name = 'sockets'] = positionals
  const [seconds, seed] = [Number(values.seconds), Number(values.seed)]
  if (!['memory', 'sockets'].includes(name) || !(seconds > 0) || !Number.isSafeInteger(seed)) {
    console.error('usage: npm run soak -- [memory|sockets] [--seconds N] [--seed S]')
    return 2
  }
  // A short run has to come to rest often enough to see a slope: its network is a faster one.
  const secondsPerRound = Math.max(secondsPerRoundMin, seconds / roundsWanted)
  const timerMs = Math.min(t1Ms, (secondsPerRound * 1000) / 200)
  const medium: Medium = name === 'memory' ? new MemoryMedium(seed) : await SocketMedium.create(timerMs)
  const world = await SoakWorld.create(medium, seed)
  console.log(`${name}, ${seconds} s, seed ${seed}`)
  const rounds = Math.max(6, Math.round(seconds / secondsPerRound))
  for (let round = 1; round <= rounds; round += 1) {
    await world.round(Math.ceil((secondsPerRound * 1000) / pauseMs), pauseMs)
    const { operations, bytes, handles } = world.samples.at(-1)!
    console.log(`${operations} operations: ${(bytes / 1024).toFixed(0)} KB, ${handles} handles`)
  }
  await world.close()
  console.log(`${bytesPerOperation(world.samples.slice(3)).toFixed(2)} bytes for each operation`)
  const faults = faultsOf(world.samples)
  for (const fault of faults) console.error(`FAILED: ${fault}`)
  return faults.length === 0 ? 0 : 1
}

process.exitCode = await main()
