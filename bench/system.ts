// A relay under measurement, whatever it is made of.

export interface Upstream {
  readonly host: string
  readonly port: number
}

export interface System extends Upstream {
  readonly name: string
  isRunning(): boolean
  stop(): Promise<void>
}
