// What the demo sends and what must become of it. Pure data and a pure plan: the same number of messages gives the same
// plan, evenly mixed, so that every row of the table moves from the start.

/** delivered: the journal says so and it is in the inbox, once. undelivered: failed or expired, nothing in the inbox. */
export type Expected = 'delivered' | 'undelivered' | 'suppressed'

/** What a report that came back leads to; these are kinds of records. */
export type ComesBack = 'bounced' | 'complained' | 'unsubscribed' | 'reported'

export interface Scene {
  readonly label: string
  /** Taken in turn; a number is put behind the local part, so that every address is new. */
  readonly addresses: readonly string[]
  readonly expected: Expected
  /** Messages out of 200; `exactly` so many out of any; `rest` share what the others leave, by weight. */
  readonly share: number | { readonly rest: number } | { readonly exactly: number }
  /** Whether the address must be suppressed afterwards: always or never. Absent: either will do. */
  readonly learns?: 'always' | 'never'
  /** Delivered, and what the journal says when its answer has come back as mail; absent: nothing may come. */
  readonly comesBack?: ComesBack
}

const SMALL = ['example.test', 'school.test', 'museum.test', 'shop.exim.test', 'council.test']

export const SCENES = {
  google: {
    label: 'ok@gmail.test',
    addresses: ['ok@gmail.test'],
    expected: 'delivered',
    share: { rest: 5 },
    learns: 'never',
  },
  microsoft: {
    label: 'ok@outlook.test',
    addresses: ['ok@outlook.test'],
    expected: 'delivered',
    share: { rest: 4 },
    learns: 'never',
  },
  yahoo: {
    label: 'ok@yahoo.test',
    addresses: ['ok@yahoo.test'],
    expected: 'delivered',
    share: { rest: 2 },
    learns: 'never',
  },
  small: {
    label: 'ok@ 5 small domains',
    addresses: SMALL.map((domain) => `ok@${domain}`),
    expected: 'delivered',
    share: { rest: 4 },
    learns: 'never',
  },
  slow: {
    label: 'slow-1s@',
    addresses: ['slow-1s@library.test'],
    expected: 'delivered',
    share: 4,
    learns: 'never',
  },
  greylist: {
    label: 'greylist-2s@',
    addresses: ['greylist-2s@example.test'],
    expected: 'delivered',
    share: 10,
    learns: 'never',
  },
  tls: {
    label: 'ok@tls-broken.test',
    addresses: ['ok@tls-broken.test'],
    expected: 'delivered',
    share: 4,
    learns: 'never',
  },
  unknown: {
    label: 'user-unknown@',
    addresses: ['gmail.test', 'outlook.test', 'yahoo.test', 'shop.exim.test', 'example.test'].map(
      (domain) => `user-unknown@${domain}`,
    ),
    expected: 'undelivered',
    share: 14,
    learns: 'always',
  },
  again: {
    label: 'the same once more',
    addresses: [],
    expected: 'suppressed',
    share: { exactly: 1 },
    learns: 'always',
  },
  beforehand: {
    label: 'already suppressed',
    addresses: ['unsubscribed@example.test'],
    expected: 'suppressed',
    share: 4,
    learns: 'always',
  },
  full: {
    label: 'mailbox-full@, tempfail@',
    addresses: ['mailbox-full@school.test', 'tempfail@museum.test'],
    expected: 'undelivered',
    share: 8,
    learns: 'never',
  },
  blocked: {
    label: 'blocked-ip@, spam@',
    addresses: ['blocked-ip@blocklist.test', 'spam@filter.test'],
    expected: 'undelivered',
    share: 6,
    learns: 'never',
  },
  broken: {
    label: 'drop-in-data@, silent@',
    addresses: ['drop-in-data@cut.test', 'silent-after-dot@silent.test'],
    expected: 'undelivered',
    share: 4,
    learns: 'never',
  },
  // Two only: once the null MX is known, submission refuses the next at RCPT.
  dead: {
    label: '2 domains without mail',
    addresses: ['anyone@nullmx.test', 'anyone@nxdomain.test'],
    expected: 'undelivered',
    share: { exactly: 2 },
  },
  late: {
    label: 'late-ndr@, qmail@, …',
    addresses: ['late-ndr@gmail.test', 'qmail@school.test', 'late-ndr@outlook.test', 'exchange@council.test'],
    expected: 'delivered',
    share: 8,
    learns: 'always',
    comesBack: 'bounced',
  },
  complaint: {
    label: 'fbl@',
    addresses: ['fbl@yahoo.test'],
    expected: 'delivered',
    share: 4,
    learns: 'always',
    comesBack: 'complained',
  },
  unsubscribe: {
    label: 'unsubscribe@',
    addresses: ['unsubscribe@example.test'],
    expected: 'delivered',
    share: 3,
    learns: 'always',
    comesBack: 'unsubscribed',
  },
  vacation: {
    label: 'vacation@, challenge@',
    addresses: ['vacation@council.test', 'challenge@museum.test', 'delayed-then-ok@school.test'],
    expected: 'delivered',
    share: 5,
    learns: 'never',
    comesBack: 'reported',
  },
  forged: {
    label: 'forged-ndr@',
    addresses: ['forged-ndr@forger.test'],
    expected: 'delivered',
    share: 4,
    learns: 'never',
  },
} as const satisfies Record<string, Scene>
export type SceneKey = keyof typeof SCENES
export const SCENE_KEYS = Object.keys(SCENES) as readonly SceneKey[]
export const sceneOf = (key: SceneKey): Scene => SCENES[key]

export interface PlannedRecipient {
  readonly scene: SceneKey
  readonly address: string
}

export interface PlannedMessage {
  /** Message-ID header: how journal and inbox are matched with the plan. */
  readonly messageId: string
  readonly subject: string
  readonly recipients: readonly PlannedRecipient[]
}

export interface Plan {
  /** Sent one after the other. */
  readonly messages: readonly PlannedMessage[]
  /** Sent when its recipient, to whom the plan sends before, is suppressed. */
  readonly last: PlannedMessage
  /** To be suppressed before anything is sent. */
  readonly suppressed: readonly string[]
}

export const LEAST_MESSAGES = 40
const DEMO_DOMAIN = 'demo.studs.test'

/** `count` messages in all, at least LEAST_MESSAGES; one of them has three recipients, the last one repeats an unknown user. */
export function planOf(count: number): Plan {
  const addressFor = addressBook()
  const single = mixed(sharesOf(count - 2)).map(
    (scene, index): PlannedRecipient => ({ scene, address: addressFor(scene, index + 1) }),
  )
  const team: PlannedRecipient[] = [
    { scene: 'google', address: 'ok+team@gmail.test' },
    { scene: 'greylist', address: 'greylist-2s+team@example.test' },
    { scene: 'unknown', address: 'user-unknown+team@outlook.test' },
  ]
  const messages = [...single.map((recipient) => [recipient]), team].map((recipients, index) =>
    message(index + 1, recipients),
  )
  const unknown = single.find(({ scene }) => scene === 'unknown')?.address ?? ''
  return {
    messages,
    last: message(count, [{ scene: 'again', address: unknown }]),
    suppressed: single.filter(({ scene }) => scene === 'beforehand').map(({ address }) => address),
  }
}

function message(number: number, recipients: readonly PlannedRecipient[]): PlannedMessage {
  return { messageId: `<demo-${number}@${DEMO_DOMAIN}>`, subject: `Demo message ${number}`, recipients }
}

/** Gives out the addresses of each scene in turn. */
function addressBook(): (scene: SceneKey, number: number) => string {
  const given = new Map<SceneKey, number>()
  return (scene, number) => {
    const { addresses } = sceneOf(scene)
    const turn = given.get(scene) ?? 0
    given.set(scene, turn + 1)
    return (addresses[turn % addresses.length] ?? '').replace('@', `+${number}@`)
  }
}

/** How many messages each scene gets, together `count`; `again` is sent apart. */
function sharesOf(count: number): ReadonlyMap<SceneKey, number> {
  const shares = new Map<SceneKey, number>()
  const rest: { key: SceneKey; weight: number }[] = []
  for (const key of SCENE_KEYS) {
    const { share } = sceneOf(key)
    if (key === 'again') continue
    if (typeof share === 'number') shares.set(key, Math.max(1, Math.round((share * count) / 200)))
    else if ('exactly' in share) shares.set(key, share.exactly)
    else rest.push({ key, weight: share.rest })
  }
  let left = count - [...shares.values()].reduce((sum, share) => sum + share, 0)
  let weights = rest.reduce((sum, { weight }) => sum + weight, 0)
  for (const { key, weight } of rest) {
    const share = Math.round((left * weight) / weights)
    shares.set(key, share)
    left -= share
    weights -= weight
  }
  return shares
}

/** Spreads the messages of each scene evenly over the whole. */
function mixed(shares: ReadonlyMap<SceneKey, number>): SceneKey[] {
  const places = [...shares].flatMap(([key, count]) =>
    Array.from({ length: count }, (_, index) => ({ key, at: (index + 0.5) / count })),
  )
  return places.sort((a, b) => a.at - b.at).map(({ key }) => key)
}
