/** True in development and in builds made with GUANXI_KIT=1. */
declare const __KIT__: boolean;
/** The folder of the words of a build, beside its files. */
declare const __WORDS__: string;
