/** What the node tells its operator; pino fits, and so does a console wrapper. Never secrets, never texts of chats. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
