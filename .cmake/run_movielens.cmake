# The movielens example on the real files, if RECSYS_DATA_DIR names a folder that holds them.
set(data "$ENV{RECSYS_DATA_DIR}/ml-latest-small")
if(NOT EXISTS ${data}/ratings.csv)
  message("skipped: RECSYS_DATA_DIR names no folder with ml-latest-small/ratings.csv (README says where to download MovieLens)")
  return()
endif()
execute_process(COMMAND ${PROGRAM} --data ${data} COMMAND_ERROR_IS_FATAL ANY)
