/** The worlds that the simulation knows, behind one face. */
import { CallWorld } from './call-world.ts'
import { TransactionWorld } from './transaction-world.ts'

/** What came of one world. */
export interface WorldReport {
  readonly violations: readonly string[]
  /** What was sent, the beginning of it. */
  readonly ladder: readonly string[]
  readonly sent: number
}

const transactionOperations = 40
const callOperations = 30

/** Worlds by name; each runs one seed to its end. */
export const worlds: Readonly<Record<string, (seed: number) => Promise<WorldReport>>> = {
  transactions: async (seed) => {
    const world = new TransactionWorld(seed)
    await world.run(transactionOperations)
    return world
  },
  calls: async (seed) => {
    const world = new CallWorld(seed)
    await world.run(callOperations)
    return world
  },
}
