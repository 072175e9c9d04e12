export const CONSOLE_DOOR = Symbol('CONSOLE_DOOR');
export const BUNDLE_FILES = Symbol('BUNDLE_FILES');
